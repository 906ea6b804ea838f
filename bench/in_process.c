/*
 * What parts of the core cost by themselves, in processor time:
 *
 *     in_process sign KEY ALGORITHM   signatures a second by one thread
 *     in_process policy RULES         seconds of one evaluation of so many rules, of which the
 *                                     first alone matches, so that all are looked at
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "identity/policy.h"
#include "jose/key.h"

enum { MESSAGE = 256, BATCH = 16 };

/* Processor time of this process, in seconds. */
static double
spent(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
measure_signing(const char *path, const char *algorithm)
{
	const struct key_source source = {.path = path, .algorithm = algorithm};
	char message[MESSAGE];
	struct buffer signature;
	struct error e = {0};
	struct key *k;
	double start, now;
	long count = 0;

	if (key_load(&k, &source, &e) == -1) {
		(void)fprintf(stderr, "in_process: %s\n", e.text);
		return 1;
	}
	memset(message, 'j', sizeof(message));
	buffer_init(&signature, LIMIT_TOKEN);
	start = spent();
	do {
		for (int i = 0; i < BATCH; i++) {
			signature.length = 0;
			if (key_sign(k, message, sizeof(message), &signature, &e) == -1)
				abort();
		}
		count += BATCH;
		now = spent();
	} while (now - start < 1);
	printf("%f\n", (double)count / (now - start));
	buffer_free(&signature);
	key_free(k);
	return 0;
}

/* Rules of every kind, each of which has to be looked at. */
static int
write_rules(struct buffer *text, uint64_t count)
{
	static const char *const kinds[] = {
	    "permit user%llu as self ttl 1h\n",
	    "permit :group%llu as etl-* svc-* ttl 15m audience okera trino\n",
	    "permit authenticated via negotiate as service%llu\n",
	    "deny any as root%llu okera%llu\n",
	};

	if (buffer_printf(text, "permit alice as self\n") == -1)
		return -1;
	for (uint64_t i = 1; i < count; i++)
		if (buffer_printf(
			text, kinds[i % 4], (unsigned long long)i, (unsigned long long)i) == -1)
			return -1;
	return 0;
}

static int
measure_policy(const char *number)
{
	struct query q = {.caller = {.name = "alice", .scheme = "Basic"}, .subject = "alice"};
	struct error e = {0};
	struct policy *p = NULL;
	struct grant g;
	struct buffer text;
	uint64_t rules;
	double start, now;
	long count = 0;
	char groups[LIMIT_GROUPS] = "";

	buffer_init(&text, LIMIT_POLICY_FILE);
	if (parse_number(number, strlen(number), LIMIT_RULES, &rules) == -1 ||
	    write_rules(&text, rules) == -1 ||
	    policy_parse(&p, text.data, text.length, "rules", &e) == -1) {
		(void)fprintf(stderr, "in_process: %s\n", e.text);
		buffer_free(&text);
		return 1;
	}
	/* Twenty groups, none of which is meant. */
	for (int i = 0; i < 20; i++)
		(void)snprintf(groups + strlen(groups), 32, "%c-department\n", 'a' + i);
	q.caller_groups = groups;
	start = spent();
	do {
		for (int i = 0; i < BATCH; i++)
			if (policy_permit(p, &q, &g, &e) == -1)
				abort();
		count += BATCH;
		now = spent();
	} while (now - start < 0.2);
	printf("%.9f\n", (now - start) / (double)count);
	policy_free(p);
	buffer_free(&text);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "sign") == 0)
		return measure_signing(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "policy") == 0)
		return measure_policy(argv[2]);
	(void)fprintf(stderr, "usage: in_process sign KEY ALGORITHM | policy RULES\n");
	return 64;
}
