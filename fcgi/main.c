/* authserver.fcgi: the service behind a FastCGI socket. */
#include <argp.h>
#include <stdlib.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "fcgi/listener.h"
#include "fcgi/monitor.h"
#include "jose/key_memory.h"

enum { OPTION_SOCKET = 0x200, OPTION_SOCKET_GROUP, OPTION_PEER_SOCKET, OPTION_TCP };

struct arguments {
	struct flags flags;
	const char *socket;
	const char *socket_group;
	const char *peer_socket;
	bool tcp;
};

static const struct argp_option options[] = {
    {"socket", OPTION_SOCKET, "PATH", 0,
	"Listen on a Unix socket at PATH (mode 0660) instead of on one that was passed", 0},
    {"socket-group", OPTION_SOCKET_GROUP, "NAME", 0,
	"Give that socket to the web server's group", 0},
    {"peer-socket", OPTION_PEER_SOCKET, "PATH", 0,
	"Listen at PATH for local processes too: the caller is their Unix account", 0},
    {"allow-tcp", OPTION_TCP, NULL, 0,
	"Accept a TCP socket: whoever reaches it can claim to be anyone", 0},
    {0},
};

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case OPTION_SOCKET:
		a->socket = value;
		return 0;
	case OPTION_SOCKET_GROUP:
		a->socket_group = value;
		return 0;
	case OPTION_PEER_SOCKET:
		a->peer_socket = value;
		return 0;
	case OPTION_TCP:
		a->tcp = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const char *argp_program_version = "authserver.fcgi " VERSION;

int
main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&flags_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {.options = options,
	    .parser = parse_option,
	    .doc = "Turns whom the web server authenticated into a signed token in a file, "
		   "as a FastCGI program.\vThe manual is authserver.fcgi(8).",
	    .children = children};
	struct log log = {.fd = STDERR_FILENO, .clock = &clock_system};
	struct arguments a = {0};
	struct error e = {0};
	struct listeners listeners = {.web = -1, .peer = -1, .verification = -1};
	int rc = -1;

	/* For the signer: its monitor has used OpenSSL by then. */
	if (!key_memory_cleanse())
		log_line(&log, LOG_LEVEL_WARNING,
		    "Parts of the private key may stay in freed memory: a library that is "
		    "loaded "
		    "before uses OpenSSL (see LD_PRELOAD)");
	argp_err_exit_status = EX_USAGE;
	flags_take_environment(&a.flags, getenv);
	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EX_USAGE;
	openlog("authserver.fcgi", LOG_PID, LOG_DAEMON);
	listeners.web = listener_open(a.socket, a.socket_group, a.tcp, &e);
	if (listeners.web != -1 && a.peer_socket != NULL)
		listeners.peer = listener_open_peer(a.peer_socket, &e);
	if (listeners.web != -1 && (a.peer_socket == NULL || listeners.peer != -1))
		rc = monitor_run(&listeners, &a.flags, &log, &e);
	if (listeners.web != -1 && a.socket != NULL)
		(void)unlink(a.socket);
	if (listeners.peer != -1)
		(void)unlink(a.peer_socket);
	if (rc == 0)
		return EX_OK;
	log_line(&log, LOG_LEVEL_ERROR, "%s", e.text);
	return error_exit_status(&e);
}
