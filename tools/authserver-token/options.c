#include "tools/authserver-token/options.h"

#include <argp.h>
#include <string.h>
#include <sysexits.h>

const char *argp_program_version = "authserver-token " VERSION;

/* A setting's flag is this and its number. */
enum { FLAG_SETTING = 0x100, FLAG_CONFIG = FLAG_SETTING + SETTINGS, FLAG_FILE };

static const struct argp_option table[] = {
    {NULL, 0, NULL, 0, "Where from:", 1},
    {"socket", FLAG_SETTING + SET_SOCKET, "PATH", 0,
	"The local socket of authserver.fcgi (/run/authserver/peer.sock)", 0},
    {"url", FLAG_SETTING + SET_URL, "URL", 0,
	"The web server, such as http://localhost:5001, instead", 0},
    {"user", FLAG_SETTING + SET_USER, "NAME", 0, "The user name for the web server", 0},
    {"password-file", FLAG_SETTING + SET_PASSWORD_FILE, "FILE", 0,
	"The first line of FILE is the password", 0},
    {"netrc-file", FLAG_SETTING + SET_NETRC_FILE, "FILE", 0,
	"FILE has user name and password (~/.netrc)", 0},
    {"negotiate", FLAG_SETTING + SET_NEGOTIATE, NULL, 0, "Show a Kerberos ticket", 0},
    {"ca-file", FLAG_SETTING + SET_CA_FILE, "FILE", 0,
	"The authorities for the web server's certificate (the system's)", 0},
    {"insecure", FLAG_SETTING + SET_INSECURE, NULL, 0, "Accept http:// to another host", 0},
    {"direct", FLAG_SETTING + SET_DIRECT, NULL, 0,
	"Have the web server answer with the token, not with the path of its file", 0},
    {"timeout", FLAG_SETTING + SET_TIMEOUT, "DURATION", 0, "Wait for so long (10s)", 0},
    {"config", FLAG_CONFIG, "FILE", 0, "Read settings from FILE (/etc/authserver/token.conf)",
	0},
    {NULL, 0, NULL, 0, "Which token:", 2},
    {"audience", FLAG_SETTING + SET_AUDIENCE, "TEXT", 0, "For this audience", 0},
    {"profile", FLAG_SETTING + SET_PROFILE, "NAME", 0, "In this shape", 0},
    {"ttl", FLAG_SETTING + SET_TTL, "DURATION", 0, "For so long, such as 15m", 0},
    {"file", FLAG_FILE, NULL, 0, "Print the path of a new token's file instead", 0},
    {NULL, 0, NULL, 0, "What is kept:", 3},
    {"cache", FLAG_SETTING + SET_CACHE, "FILE", 0,
	"Keep the token in FILE ($XDG_RUNTIME_DIR/authserver/token, or "
	"~/.authserver/token)",
	0},
    {"no-cache", FLAG_SETTING + SET_NO_CACHE, NULL, 0, "Keep none, and get a new one", 0},
    {"min-life", FLAG_SETTING + SET_MIN_LIFE, "DURATION", 0,
	"A kept token must have so long to live (60s, or a tenth of its life)", 0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct options *o = state->input;
	struct error e = {0};

	if (flag >= FLAG_SETTING && flag < FLAG_CONFIG) {
		if (settings_put(&o->settings, (enum setting)(flag - FLAG_SETTING),
			value != NULL ? value : "true", RANK_COMMAND, "command line", &e) == -1)
			argp_error(state, "%s", e.text);
		return 0;
	}
	switch (flag) {
	case FLAG_CONFIG:
		o->config = value;
		return 0;
	case FLAG_FILE:
		o->file = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one SUBJECT at most");
		if (strchr(value, '/') != NULL)
			argp_error(state, "%s: a subject has no slash", value);
		o->subject = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void
options_read(struct options *o, int argc, char **argv)
{
	static const struct argp argp = {.options = table,
	    .parser = parse_flag,
	    .args_doc = "[SUBJECT]",
	    .doc =
		"Print a token for SUBJECT, or for whoever asks.\v"
		"Exit status: 0 printed, 1 refused, 64 usage, 69 no answer, 77 not let in or "
		"not permitted, 78 configuration. The manual is authserver-token(1)."};

	*o = (struct options){.subject = ""};
	argp_err_exit_status = EX_USAGE;
	(void)argp_parse(&argp, argc, argv, 0, NULL, o);
}
