/*
 * The reference that our service is compared with: a token in a file by libfcgi's
 * usual means, a thread a connection, the key in the same process, no policy, no
 * deadlines, no separation. Everything here is the plain way to do it; nothing is
 * slowed down, and nothing comes from libauthserver.
 *
 *     plain_fcgi SOCKET THREADS ALGORITHM KEY DIRECTORY [silent]
 *
 * It logs a line a token, as the job asks; "silent" leaves that part out.
 */
#define _GNU_SOURCE /* O_TMPFILE */
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 1024, TOKEN_MAX = 4096, SIGNATURE_MAX = 512, ISSUED_FOR = 86400 };

struct service {
	int listener;
	EVP_PKEY *key;
	const char *directory;
	int directory_fd;
	int silent;            /* whether no line says what was made */
	int coordinate;        /* bytes of r and of s for ECDSA, otherwise 0 */
	const EVP_MD *digest;  /* NULL for EdDSA */
	char header[TEXT_MAX]; /* the JOSE header, in base64url */
	pthread_mutex_t accepting;
};

/* Appends bytes to text in base64url without padding; returns its new end. */
static char *
add_base64url(char *text, const unsigned char *bytes, size_t length)
{
	int n = EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);

	while (n > 0 && text[n - 1] == '=')
		n--;
	for (int i = 0; i < n; i++) {
		if (text[i] == '+')
			text[i] = '-';
		else if (text[i] == '/')
			text[i] = '_';
	}
	text[n] = '\0';
	return text + n;
}

static char *
add_json(char *text, json_t *object)
{
	char *dump = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);

	json_decref(object);
	if (dump == NULL)
		return NULL;
	text = add_base64url(text, (unsigned char *)dump, strlen(dump));
	free(dump);
	return text;
}

/* ECDSA leaves OpenSSL in DER and a JWS holds r and s side by side. */
static int
der_to_raw(unsigned char *bytes, size_t *length, int coordinate)
{
	const unsigned char *p = bytes;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)*length);
	int ok;

	if (pair == NULL)
		return -1;
	ok = BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, coordinate) == coordinate &&
	     BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + coordinate, coordinate) == coordinate;
	ECDSA_SIG_free(pair);
	*length = 2 * (size_t)coordinate;
	return ok ? 0 : -1;
}

/* Appends the signature of the text before end. */
static int
add_signature(const struct service *s, char *text, char *end)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t length = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int ok;

	ok = context != NULL &&
	     EVP_DigestSignInit(context, NULL, s->digest, NULL, s->key) == 1 &&
	     EVP_DigestSign(
		 context, signature, &length, (unsigned char *)text, (size_t)(end - text)) == 1;
	EVP_MD_CTX_free(context);
	if (!ok || (s->coordinate != 0 && der_to_raw(signature, &length, s->coordinate) == -1))
		return -1;
	*end++ = '.';
	add_base64url(end, signature, length);
	return 0;
}

static int
make_token(const struct service *s, const char *subject, time_t now, char token[TOKEN_MAX])
{
	unsigned char random[16];
	char jti[32];
	char *end;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -1;
	add_base64url(jti, random, sizeof(random));
	end = stpcpy(token, s->header);
	*end++ = '.';
	end = add_json(
	    end, json_pack("{s:s, s:s, s:I, s:I, s:s}", "sub", subject, "iss", "127.0.0.1",
		     "iat", (json_int_t)now, "exp", (json_int_t)now + ISSUED_FOR, "jti", jti));
	return end == NULL ? -1 : add_signature(s, token, end);
}

/* Makes the file under the first free nanosecond and writes its path. */
static int
write_token(const struct service *s, const char *subject, const struct timespec *now,
    const char *token, char path[TEXT_MAX])
{
	size_t length = strlen(token);
	long nanosecond = now->tv_nsec;
	char link[64];
	int fd = openat(s->directory_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0640);
	int ok;

	if (fd == -1)
		return -1;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ok = write(fd, token, length) == (ssize_t)length && fchmod(fd, 0640) == 0;
	for (; ok; nanosecond++) {
		(void)snprintf(path, TEXT_MAX, "%s/%s.%lld%09ld.token", s->directory, subject,
		    (long long)now->tv_sec, nanosecond);
		ok = linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
		if (ok || errno != EEXIST)
			break;
		ok = 1;
	}
	close(fd);
	return ok ? 0 : -1;
}

static int
subject_is_plain(const char *subject)
{
	size_t length = strlen(subject);

	return length > 0 && length <= 128 && *subject != '.' &&
	       strspn(subject, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789._@+-") == length;
}

/* The job has three parts: a file, an answer, and a line that says so. */
static void
log_token(time_t now, const char *path)
{
	char text[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y/%m/%d %H:%M:%S", &tm);
	fprintf(stderr, "%s Generated token: %s\n", text, path);
}

static void
answer(const struct service *s, FCGX_Request *request)
{
	const char *path_info = FCGX_GetParam("PATH_INFO", request->envp);
	struct timespec now;
	char token[TOKEN_MAX];
	char path[TEXT_MAX];

	if (path_info == NULL || *path_info != '/' || !subject_is_plain(path_info + 1)) {
		FCGX_FPrintF(request->out, "Status: 400\r\nContent-Type: text/plain\r\n\r\n"
					   "The path must be /SUBJECT\n");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (make_token(s, path_info + 1, now.tv_sec, token) == -1 ||
	    write_token(s, path_info + 1, &now, token, path) == -1) {
		FCGX_FPrintF(request->out, "Status: 503\r\nContent-Type: text/plain\r\n\r\n"
					   "No token could be made\n");
		return;
	}
	if (!s->silent)
		log_token(now.tv_sec, path);
	FCGX_FPrintF(request->out,
	    "Content-Type: text/plain\r\nCache-Control: no-store\r\n\r\n%s", path);
}

static void *
serve(void *argument)
{
	struct service *s = argument;
	FCGX_Request request;
	int accepted;

	FCGX_InitRequest(&request, s->listener, 0);
	for (;;) {
		pthread_mutex_lock(&s->accepting);
		accepted = FCGX_Accept_r(&request);
		pthread_mutex_unlock(&s->accepting);
		if (accepted < 0)
			return NULL;
		answer(s, &request);
		FCGX_Finish_r(&request);
	}
}

/* The header names the key by a hash of its public half, of a thumbprint's length. */
static int
make_header(struct service *s, const char *algorithm)
{
	unsigned char *der = NULL;
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	char kid[64];
	int size = i2d_PUBKEY(s->key, &der);
	int ok = size > 0 && EVP_Digest(der, (size_t)size, hash, &length, EVP_sha256(), NULL);

	OPENSSL_free(der);
	if (!ok)
		return -1;
	add_base64url(kid, hash, length);
	return add_json(s->header, json_pack("{s:s, s:s, s:s}", "alg", algorithm, "typ", "JWT",
				       "kid", kid)) == NULL
		   ? -1
		   : 0;
}

static int
load_key(struct service *s, const char *algorithm, const char *file)
{
	FILE *f = fopen(file, "r");

	if (f == NULL)
		return -1;
	s->key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	if (strcmp(algorithm, "RS512") == 0) {
		s->digest = EVP_sha512();
	} else if (strcmp(algorithm, "ES256") == 0) {
		s->digest = EVP_sha256();
		s->coordinate = 32;
	} else if (strcmp(algorithm, "EdDSA") != 0) {
		return -1;
	}
	return s->key == NULL ? -1 : make_header(s, algorithm);
}

int
main(int argc, char **argv)
{
	static struct service s = {.accepting = PTHREAD_MUTEX_INITIALIZER};
	pthread_t thread;
	long threads;

	s.silent = argc == 7 && strcmp(argv[6], "silent") == 0;
	if (argc != 6 + s.silent) {
		fprintf(stderr, "usage: plain_fcgi SOCKET THREADS ALGORITHM KEY DIRECTORY "
				"[silent]\n");
		return 64;
	}
	threads = strtol(argv[2], NULL, 10);
	s.directory = argv[5];
	s.directory_fd = open(s.directory, O_DIRECTORY | O_CLOEXEC);
	if (s.directory_fd == -1) {
		perror(s.directory);
		return 66;
	}
	if (load_key(&s, argv[3], argv[4]) == -1) {
		fprintf(stderr, "plain_fcgi: %s: not a key for %s\n", argv[4], argv[3]);
		ERR_print_errors_fp(stderr);
		return 66;
	}
	if (FCGX_Init() != 0)
		return 71;
	signal(SIGTERM, SIG_DFL); /* FCGX_Init catches it for an accept that is interrupted */
	s.listener = FCGX_OpenSocket(argv[1], 1024);
	if (s.listener == -1)
		return 71;
	for (long i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, serve, &s) != 0)
			return 71;
	serve(&s);
	return 71;
}
