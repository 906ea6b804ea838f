#define _GNU_SOURCE /* struct ucred */
#include "fcgi/peers.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/account.h"
#include "base/parse.h"
#include "fcgi/listener.h"

enum {
	LOCAL_MAX = 256, /* connections of local processes, so that they leave room */
	LOCAL_EACH = 16, /* of those, for one account */
};

static uid_t
overflow_uid(void)
{
	const uid_t usual = 65534;
	int fd = open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC);
	char text[16];
	uint64_t number;
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text));

	if (fd != -1)
		close(fd);
	if (n > 1 && parse_number(text, (size_t)n - 1, UINT32_MAX, &number) == 0)
		return (uid_t)number;
	return usual;
}

static void
add_peer(struct peers *p, uid_t uid)
{
	p->uids[p->count++] = uid;
}

void
peers_init(struct peers *p, const struct strings *names, const struct log *log,
    const struct clock *clock)
{
	struct error absent;
	uint64_t number;
	uid_t uid;

	*p = (struct peers){.overflow = overflow_uid(), .log = log, .clock = clock};
	add_peer(p, 0);
	add_peer(p, geteuid());
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];

		if (parse_number(name, strlen(name), UINT32_MAX - 1, &number) == 0)
			add_peer(p, (uid_t)number);
		else if (account_user(name, &uid, &absent) == 0)
			add_peer(p, uid);
	}
}

uid_t
peers_uid(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid
									  : (uid_t)-1;
}

/* Whoever is turned away may come back at once: one line a second is enough. */
static void
complain(struct peers *p, const char *whom, uid_t uid, const char *between, const char *why)
{
	int64_t now = clock_monotonic(p->clock);

	if (p->complained != 0 && now - p->complained < NANOSECONDS) {
		p->unsaid++;
		return;
	}
	if (p->unsaid > 0)
		log_line(p->log, LOG_LEVEL_WARNING,
		    "Hung up on %u more peers since the last line", p->unsaid);
	log_line(p->log, LOG_LEVEL_WARNING, "Hung up on a %s of uid %u%s%s", whom,
	    (unsigned int)uid, between, why);
	p->complained = now;
	p->unsaid = 0;
}

bool
peers_admit_web(struct peers *p, int fd)
{
	uid_t uid;

	if (listener_is_tcp(fd))
		return true;
	uid = peers_uid(fd);
	for (size_t i = 0; i < p->count && uid != (uid_t)-1; i++)
		if (p->uids[i] == uid)
			return true;
	complain(p, "peer", uid, ", ", "which 'peers' does not list");
	return false;
}

void
peers_refuse_local(struct peers *p, uid_t uid, const char *why)
{
	complain(p, "local process", uid, ": ", why);
}

bool
peers_admit_local(struct peers *p, uid_t uid, size_t own, size_t all)
{
	struct error e = {0};

	if (uid == p->overflow)
		error_set(&e, ERROR_DENIED, "that is whoever has no uid here");
	else if (own >= LOCAL_EACH || all >= LOCAL_MAX)
		error_set(&e, ERROR_LIMITED, "it has %d connections, or all have %d",
		    LOCAL_EACH, LOCAL_MAX);
	else
		return true;
	peers_refuse_local(p, uid, e.text);
	return false;
}
