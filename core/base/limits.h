/*
 * Every bound of the service in one place. A value that comes from outside is
 * compared with its bound before it is stored, never cut to fit: what is too
 * long is refused, so that two different names cannot become one.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* Lengths are in bytes and include the terminating NUL where a string is meant. */
enum {
	LIMIT_ERROR_TEXT = 512, /* one-line reason, as a client or a log reader sees it */
	LIMIT_ERROR_DETAIL = 256,
	LIMIT_LOG_LINE = 2048,             /* one log line; a longer one ends in "..." */
	LIMIT_PRINCIPAL = 256,             /* REMOTE_USER, before and after its realm is cut */
	LIMIT_AUTH_TYPE = 32,              /* AUTH_TYPE (RFC 3875, 4.1.1) */
	LIMIT_PARTY = LIMIT_AUTH_TYPE - 6, /* whose tokens are exchanged: "token:PARTY" */
	LIMIT_GROUPS = 8 * 1024,           /* a user's groups, a newline behind each */
	LIMIT_GROUP_NAME = 256,            /* the name of one */
	LIMIT_GROUP_COUNT = 4096,          /* of one user */
	LIMIT_EMAIL = 255,                 /* RFC 5321, 4.5.3.1.3: 254 bytes */
	LIMIT_NAMESPACE = 129,
	LIMIT_ACCOUNT =
	    16 * 1024 * 1024,       /* the entry of an account or a group, with its members */
	LIMIT_REPLY = 64 * 1024,    /* what a source of groups may answer */
	LIMIT_SUBJECT = 129,        /* "sub" (RFC 7519, 4.1.2): 128 bytes */
	LIMIT_AUDIENCE = 256,       /* "aud" (RFC 7519, 4.1.3) */
	LIMIT_ISSUER = 256,         /* "iss" (RFC 7519, 4.1.1) */
	LIMIT_PROFILE = 64,         /* the name of a profile */
	LIMIT_KID = 64,             /* "kid" (RFC 7515, 4.1.4): a thumbprint has 43 bytes */
	LIMIT_KID_GIVEN = 256,      /* that of a key which is not ours */
	LIMIT_JTI = 32,             /* "jti" (RFC 7519, 4.1.7): ours has 22 bytes */
	LIMIT_FILE_NAME = 256,      /* NAME_MAX and its NUL */
	LIMIT_PATH = 4096,          /* PATH_MAX */
	LIMIT_REQUEST_ID = 65,      /* what the web server calls a request: 64 bytes */
	LIMIT_QUERY = 4096,         /* QUERY_STRING */
	LIMIT_PARAMS = 64 * 1024,   /* all params of a request together */
	LIMIT_BODY = 64 * 1024,     /* the body of a request */
	LIMIT_TOKEN = 16 * 1024,    /* a compact JWS */
	LIMIT_FIELDS = 32 * 1024,   /* header fields of a response that are not ours alone */
	LIMIT_RESPONSE = 64 * 1024, /* the body of a response */
	LIMIT_KEY_FILE = 64 * 1024, /* a PEM file */
	LIMIT_KEYS = 64,            /* of a keyring */
	LIMIT_JWK_SET = 48 * 1024,  /* the public keys as JSON */
	LIMIT_JWK_SET_GIVEN = 256 * 1024, /* those that others publish */
	LIMIT_TRIES = 64,                 /* signatures that are computed for one token */
	LIMIT_SKEW = 600,                 /* seconds that clocks may differ by */
	LIMIT_PASSPHRASE = 1024,          /* the first line of a passphrase file */
	LIMIT_PASSWORD = 512,             /* of a user: what PAM takes (PAM_MAX_RESP_SIZE) */
	LIMIT_PASSWORD_TRIES = 1000,      /* of one user that may be asked for */
	LIMIT_DELAY = 30,                 /* seconds until a password is said to be wrong */
	LIMIT_CONFIG_FILE = 1024 * 1024,
	LIMIT_LIST = 64, /* entries of a list in the configuration */
	LIMIT_PROFILES = 64,
	LIMIT_VERIFY = 64,                /* sections that say which keys are trusted */
	LIMIT_KEEP = 1024,                /* sections of token files that are kept fresh */
	LIMIT_KEPT = 1000 * 1000,         /* token files that are kept fresh */
	LIMIT_FILES = 1000 * 1000 * 1000, /* token files at once */
	LIMIT_POLICY_FILE = 1024 * 1024,
	LIMIT_ATTRIBUTES = 16 * 1024 * 1024, /* the file of subjects' attributes */
	LIMIT_RULES = 10000,
	LIMIT_RULE_WORDS = 256, /* words of one rule */
	LIMIT_WORKERS = 64,
	LIMIT_SIGNER_THREADS = 64,
};

#endif
