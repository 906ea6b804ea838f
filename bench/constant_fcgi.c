/*
 * The ceiling of any FastCGI program behind the same web server: libfcgi, a thread a
 * connection, one constant answer of the length of a token file's path.
 *
 *     constant_fcgi SOCKET THREADS
 *
 * A thread stays with the connection it took for as long as the web server keeps it,
 * so with keep-alive there must be as many threads as connections.
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const char text[] = "Content-Type: text/plain\r\nCache-Control: no-store\r\n\r\n"
			   "/dev/shm/authserver/tokens/janedoe.1234567890123456789.token";

struct service {
	int listener;
	pthread_mutex_t accepting;
};

static void *
serve(void *argument)
{
	struct service *s = argument;
	FCGX_Request request;
	int accepted;

	FCGX_InitRequest(&request, s->listener, 0);
	for (;;) {
		/* A kept connection is read without accepting: only the others take turns. */
		if (request.keepConnection && request.ipcFd >= 0) {
			accepted = FCGX_Accept_r(&request);
		} else {
			pthread_mutex_lock(&s->accepting);
			accepted = FCGX_Accept_r(&request);
			pthread_mutex_unlock(&s->accepting);
		}
		if (accepted < 0)
			return NULL;
		FCGX_PutStr(text, sizeof(text) - 1, request.out);
		FCGX_Finish_r(&request);
	}
}

int
main(int argc, char **argv)
{
	static struct service s = {.accepting = PTHREAD_MUTEX_INITIALIZER};
	pthread_t thread;
	long threads;

	if (argc != 3) {
		fprintf(stderr, "usage: constant_fcgi SOCKET THREADS\n");
		return 64;
	}
	threads = strtol(argv[2], NULL, 10);
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
