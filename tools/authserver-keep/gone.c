#include "tools/authserver-keep/gone.h"

#include "store/keep_file.h"
#include "tools/authserver-keep/inspect.h"

static void
remove_file(struct keeper *k, const struct keep_section *s, const char *subject)
{
	char path[LIMIT_PATH];
	struct directory d;
	struct error e = {0};
	const char *name;

	if (keep_expand(path, sizeof(path), s->file, subject) == -1 ||
	    kept_open_directory(&d, &name, path, false, &e) == -1)
		return;
	if (inspect_is_token(&d, name, s->format, subject)) {
		if (k->options->dry_run)
			log_line(k->log, LOG_LEVEL_INFO, "Would remove token: %s", path);
		else if (keep_file_remove(&d, name, &e) == -1)
			log_line(k->log, LOG_LEVEL_WARNING, "Not removed: %s", e.text);
		else
			log_line(k->log, LOG_LEVEL_INFO,
			    "Removed token: %s: %s is not in group %s any more", path, subject,
			    s->group_members);
	}
	directory_close(&d);
}

void
gone_remove(struct keeper *k, const struct keep_section *s)
{
	struct subjects there, gone;
	struct error e = {0};

	if (subjects_list(&there, s, k->issuer->grammar, &e) == -1)
		return;
	if (subjects_list_gone(&gone, s, k->issuer->grammar, &there, &e) == 0)
		for (size_t i = 0; i < gone.count; i++)
			remove_file(k, s, gone.items[i]);
	subjects_free(&there);
	subjects_free(&gone);
}
