/*
 * Asks whether passwords are right, as the service does: passwords CONFIGURATION reads lines
 * "USER PASSWORD" or "USER" and prints "right", "wrong" or "cannot say: WHY", and the
 * milliseconds that it took.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "identity/lookup_process.h"

struct answer {
	enum password_verdict verdict;
	bool failed;
	struct error e;
};

static void
keep(void *context, enum password_verdict verdict, const struct error *e)
{
	struct answer *a = context;

	a->verdict = verdict;
	a->failed = e != NULL;
	if (e != NULL)
		a->e = *e;
}

static void
ask(struct lookup_process *p, char *line)
{
	struct password_question q = {.user = line};
	struct answer a = {0};
	int64_t began = clock_monotonic(&clock_system);
	char *end;

	line[strcspn(line, "\n")] = '\0';
	end = strchr(line, ' ');
	if (end != NULL) {
		*end = '\0';
		q.password = end + 1;
	}
	if (password_submit(&p->passwords, &q, keep, &a, &a.e) == -1)
		a.failed = true;
	if (a.failed)
		printf("cannot say: %s", a.e.text);
	else
		printf("%s", a.verdict == PASSWORD_RIGHT ? "right" : "wrong");
	printf(" %lld\n",
	    (long long)(clock_monotonic(&clock_system) - began) / (NANOSECONDS / 1000));
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	const struct flags flags = {.config_file = argc > 1 ? argv[1] : NULL};
	struct config config;
	struct lookup_process p;
	struct error e;
	char line[1024];

	if (flags_load(&flags, &config, &e) == -1) {
		(void)fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	lookup_process_init(&p, &flags, &config);
	while (fgets(line, sizeof(line), stdin) != NULL)
		ask(&p, line);
	lookup_process_end(&p);
	config_free(&config);
	return 0;
}
