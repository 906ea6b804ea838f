/* A web server in front of authserver: libcurl, told to send one request. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "tools/authserver-token/ask.h"
#include "tools/authserver-token/url.h"

enum { LIMIT_HEADERS = 16 * 1024 };

struct exchange {
	CURL *curl;
	struct curl_slist *headers;
	struct buffer url;
	bool loopback;
	struct buffer *body;
	size_t header_bytes;
	const char *wrong; /* why the rest of the answer was not taken; NULL: it was */
	char text[CURL_ERROR_SIZE];
};

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *x = context;

	if (buffer_append(x->body, bytes, size * count) == 0)
		return size * count;
	x->wrong = "the answer is too long for a token";
	return 0;
}

static size_t
take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *x = context;

	(void)bytes;
	x->header_bytes += size * count;
	if (x->header_bytes <= LIMIT_HEADERS)
		return size * count;
	x->wrong = "the answer has more than 16 KiB of header fields";
	return 0;
}

/* --- what is asked, and how --- */

/* On loopback the answer is a path, by which the file system says who may have the token. */
static bool
wants_path(const struct exchange *x, const struct request *r)
{
	return r->file || (x->loopback && !r->direct);
}

static CURLcode
set_request(struct exchange *x, const struct request *r)
{
	const struct {
		CURLoption option;
		long value;
	} rows[] = {
	    {CURLOPT_TIMEOUT_MS, (long)r->timeout * 1000},
	    {CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout * 1000},
	    {CURLOPT_QUICK_EXIT, 1},
	    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	    {CURLOPT_HTTPGET, 1},
	    {CURLOPT_FOLLOWLOCATION, 0},
	    {CURLOPT_PATH_AS_IS, 1},
	    {CURLOPT_SSL_VERIFYPEER, 1},
	    {CURLOPT_SSL_VERIFYHOST, 2},
	    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	};
	CURLcode code = curl_easy_setopt(x->curl, CURLOPT_PROTOCOLS_STR, "http,https");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == CURLE_OK; i++)
		code = curl_easy_setopt(x->curl, rows[i].option, rows[i].value);
	/* What is on this host is reached by no proxy, whatever the environment says. */
	if (code == CURLE_OK && x->loopback)
		code = curl_easy_setopt(x->curl, CURLOPT_PROXY, "");
	if (code == CURLE_OK)
		code = curl_easy_setopt(x->curl, CURLOPT_URL, x->url.data);
	if (code == CURLE_OK)
		code =
		    curl_easy_setopt(x->curl, CURLOPT_USERAGENT, "authserver-token/" VERSION);
	if (code == CURLE_OK)
		code = curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers);
	if (code == CURLE_OK && r->ca_file != NULL) {
		code = curl_easy_setopt(x->curl, CURLOPT_CAINFO, r->ca_file);
		/* Else those in the system's directory would be trusted too. */
		if (code == CURLE_OK)
			code = curl_easy_setopt(x->curl, CURLOPT_CAPATH, NULL);
	}
	return code;
}

static CURLcode
set_answer(struct exchange *x)
{
	const struct {
		CURLoption option;
		void *value;
	} data[] = {
	    {CURLOPT_WRITEDATA, x},
	    {CURLOPT_HEADERDATA, x},
	    {CURLOPT_ERRORBUFFER, x->text},
	};
	CURLcode code = curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, take_body);

	if (code == CURLE_OK)
		code = curl_easy_setopt(x->curl, CURLOPT_HEADERFUNCTION, take_header);
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]) && code == CURLE_OK; i++)
		code = curl_easy_setopt(x->curl, data[i].option, data[i].value);
	return code;
}

static CURLcode
set_credentials(struct exchange *x, const struct request *r, const struct credentials *c)
{
	char netrc[64];
	CURLcode code = curl_easy_setopt(x->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);

	if (code == CURLE_OK)
		code = curl_easy_setopt(x->curl, CURLOPT_HTTPAUTH,
		    c->kind == CREDENTIALS_TICKET ? (long)CURLAUTH_NEGOTIATE
						  : (long)CURLAUTH_BASIC);
	if (code == CURLE_OK && c->kind == CREDENTIALS_PASSWORD)
		code = curl_easy_setopt(x->curl, CURLOPT_USERNAME, r->user);
	if (code == CURLE_OK && c->kind == CREDENTIALS_PASSWORD)
		code = curl_easy_setopt(x->curl, CURLOPT_PASSWORD, c->password.data);
	if (code == CURLE_OK && c->kind == CREDENTIALS_TICKET)
		code = curl_easy_setopt(x->curl, CURLOPT_USERPWD, ":");
	if (code == CURLE_OK && c->kind == CREDENTIALS_NETRC) {
		/* The file that was looked at. */
		(void)snprintf(netrc, sizeof(netrc), "/proc/self/fd/%d", c->netrc);
		code = curl_easy_setopt(x->curl, CURLOPT_NETRC_FILE, netrc);
		if (code == CURLE_OK)
			code =
			    curl_easy_setopt(x->curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	}
	return code;
}

/* --- what is answered --- */

static const char *
get_hint(const struct credentials *c)
{
	switch (c->kind) {
	case CREDENTIALS_PASSWORD:
		return "the user name or the password is wrong";
	case CREDENTIALS_NETRC:
		return "what the netrc file has for this host is wrong, or nothing";
	case CREDENTIALS_TICKET:
		return "the Kerberos ticket was not taken: see klist, and give the host of "
		       "--url "
		       "as its principal HTTP/HOST has it";
	default:
		return "say who is asking: --negotiate, --user with --password-file, or "
		       "--netrc-file";
	}
}

static int
refuse_answer(const struct exchange *x, long status, const char *type,
    const struct credentials *c, struct error *e)
{
	bool is_text = type != NULL && strncasecmp(type, "text/plain", 10) == 0;

	if (status == 401)
		return error_set(e, ERROR_NO_PERMISSION, "not let in: %s", get_hint(c));
	if (status >= 300 && status < 400)
		return error_set(e, ERROR_CONFIG,
		    "the server answered with status %ld, a redirection: give the URL behind "
		    "it",
		    status);
	return ask_refused((int)status, is_text ? x->body->data : NULL, e);
}

static int
read_answer(
    const struct exchange *x, bool *is_path, const struct credentials *c, struct error *e)
{
	const char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(x->curl, CURLINFO_CONTENT_TYPE, &type);
	if (status != 200)
		return refuse_answer(x, status, type, c, e);
	/* The Okera Auth Server knows of no other answer than a path. */
	*is_path = type == NULL || strncasecmp(type, "application/jwt", 15) != 0;
	if (*is_path && !x->loopback)
		return error_set(e, ERROR_UNAVAILABLE,
		    "the answer is a file of another host: is it authserver that answers?");
	return 0;
}

static int
refuse_exchange(struct exchange *x, CURLcode code, struct error *e)
{
	if (x->wrong != NULL)
		return error_set(e, ERROR_UNAVAILABLE, "%s", x->wrong);
	text_plain(x->text);
	return error_set(e, code == CURLE_SSL_CACERT_BADFILE ? ERROR_CONFIG : ERROR_UNAVAILABLE,
	    "%.300s", *x->text != '\0' ? x->text : curl_easy_strerror(code));
}

static int
exchange(struct exchange *x, bool *is_path, const struct request *r,
    const struct credentials *c, struct error *e)
{
	CURLcode code;

	if (url_write(&x->url, &x->loopback, r, e) == -1)
		return -1;
	x->curl = curl_easy_init();
	x->headers = curl_slist_append(
	    NULL, wants_path(x, r) ? "Accept: text/plain" : "Accept: application/jwt");
	if (x->curl == NULL || x->headers == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "libcurl does not start");
	code = set_request(x, r);
	if (code == CURLE_OK)
		code = set_answer(x);
	if (code == CURLE_OK)
		code = set_credentials(x, r, c);
	if (code == CURLE_OK)
		code = curl_easy_perform(x->curl);
	return code == CURLE_OK ? read_answer(x, is_path, c, e) : refuse_exchange(x, code, e);
}

int
ask_http(struct buffer *body, bool *is_path, const struct request *r,
    const struct credentials *c, struct error *e)
{
	struct exchange x = {.body = body};
	int rc;

	buffer_init(&x.url, LIMIT_URL);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT); /* when it fails, so does what follows */
	rc = exchange(&x, is_path, r, c, e);
	curl_easy_cleanup(x.curl);
	curl_slist_free_all(x.headers);
	curl_global_cleanup();
	buffer_free(&x.url);
	return rc == 0 ? 0 : error_prefix(e, "%.200s", r->url);
}
