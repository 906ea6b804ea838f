/* signer: what serves the workers, in threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "signer/message.h"
#include "signer/signer_serve.h"
#include "tests/unit/patience.h"
#include "tests/unit/signers.h"

enum { PATIENCE = 10000 /* milliseconds */ };

static struct signing signing;
static struct policy *policy;

static int
load_key(void **state)
{
	static const char rules[] = "permit any as *";
	struct error e = {0};

	(void)state;
	if (policy_parse(&policy, rules, strlen(rules), "rules", &e) == -1)
		return -1;
	policy_set_limits(policy, 3600, NULL);
	return signers_open(&signing, policy, &clock_system, &entropy_system);
}

static int
free_key(void **state)
{
	(void)state;
	signing_close(&signing);
	policy_free(policy);
	return 0;
}

static void *
serve(void *context)
{
	const struct signers_fixture *f = context;

	signer_hello(f->signer);
	signer_serve(f->signer, &signing);
	return NULL;
}

/* Takes answers until none is awaited. */
static void
receive_all(struct signers_fixture *f)
{
	struct pollfd p = {.fd = f->worker, .events = POLLIN};

	while (signer_remote_busy(f->remote)) {
		assert_int_equal(poll(&p, 1, PATIENCE), 1);
		signer_remote_receive(f->remote);
	}
}

static void
threads_sign_for_one_worker_until_its_socket_ends(void **state)
{
	struct signers_fixture *f = *state;
	pthread_t threads[4];
	struct error e = {0};

	signing.clock = &f->clock;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, serve, f), 0);
	/* The hello of each thread first: nothing is waiting to be asked again. */
	for (size_t i = 0; i < 4; i++) {
		static struct message_answer m;

		assert_int_equal(recv(f->worker, &m, sizeof(m), 0), sizeof(m.head));
		assert_int_equal(m.head.kind, COURIER_HELLO);
	}
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(signers_submit(f, i, &e), 0);
		if (i % 10 == 9)
			receive_all(f);
	}
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(f->outcomes[i].calls, 1);
		assert_true(f->outcomes[i].ok);
		assert_int_equal(f->outcomes[i].expires, 1000 + 3600);
		assert_memory_equal(f->outcomes[i].text, "eyJhbGciOiJFZERTQSIs", 20);
	}
	shutdown(f->worker, SHUT_RDWR);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* Not even one that begins like a request: too long is as wrong as too short. */
static void
signer_drops_what_is_no_request(void **state)
{
	struct signers_fixture *f = *state;
	struct query q = {.subject = "dropped"};
	struct {
		struct message_request request;
		char more[8];
	} m = {.more = ""};
	size_t whole;
	pthread_t thread;

	signing.clock = &f->clock;
	message_request_init(&m.request, &q);
	whole = message_request_size(&m.request);
	assert_int_equal(send(f->worker, &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(send(f->worker, &m, whole + 1, 0), whole + 1);
	assert_int_equal(send(f->worker, &m, whole - 1, 0), whole - 1);
	assert_int_equal(send(f->worker, "x", 1, 0), 1);
	m.request.head.magic++;
	assert_int_equal(send(f->worker, &m, whole, 0), whole);
	assert_int_equal(pthread_create(&thread, NULL, serve, f), 0);
	for (int i = 0; i < 2; i++) {
		static struct message_answer a;

		if (i == 1) {
			message_request_init(&m.request, &q);
			m.request.head.id = 4711;
			assert_int_equal(send(f->worker, &m, whole, 0), whole);
		}
		assert_int_not_equal(recv(f->worker, &a, sizeof(a), 0), -1);
		assert_int_equal(a.head.kind, i == 0 ? COURIER_HELLO : MESSAGE_MADE);
		assert_int_equal(a.head.id, i == 0 ? 0 : 4711);
	}
	shutdown(f->worker, SHUT_RDWR);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, signers_enter, signers_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(threads_sign_for_one_worker_until_its_socket_ends),
	    TEST(signer_drops_what_is_no_request),
	};

	patience_end(120); /* ends a test that waits for an answer in vain */
	return cmocka_run_group_tests(tests, load_key, free_key);
}
