#include "identity/source_ldap_stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "identity/ldap_socket.h"

enum { MESSAGE_MAX = 1024 * 1024 }; /* an entry; one of a user with the most groups has less */

static int
setup(Sockbuf_IO_Desc *d, void *context)
{
	d->sbiod_pvt = context;
	return 0;
}

/* 0: to be tried again. */
static int
wait_for(const struct stream *st, short events)
{
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return -1;
	if (ldap_socket_wait(st->fd, events, st->deadline) != 0)
		return 0;
	errno = ETIMEDOUT;
	return -1;
}

static ber_slen_t
receive(Sockbuf_IO_Desc *d, void *to, ber_len_t size)
{
	const struct stream *st = d->sbiod_pvt;
	ssize_t n;

	do {
		n = recv(st->fd, to, size, MSG_DONTWAIT);
	} while (n == -1 && wait_for(st, POLLIN) == 0);
	return n;
}

static ber_slen_t
transmit(Sockbuf_IO_Desc *d, void *from, ber_len_t size)
{
	const struct stream *st = d->sbiod_pvt;
	ssize_t n;

	do {
		n = send(st->fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n == -1 && wait_for(st, POLLOUT) == 0);
	return n;
}

static int
control(Sockbuf_IO_Desc *d, int option, void *value)
{
	(void)d;
	(void)option;
	(void)value;
	return 0;
}

static int
finish(Sockbuf_IO_Desc *d)
{
	struct stream *st = d->sbiod_pvt;
	int rc = st->fd == -1 ? 0 : close(st->fd);

	st->fd = -1;
	return rc;
}

int
stream_attach(LDAP *ld, struct stream *st)
{
	static Sockbuf_IO io = {.sbi_setup = setup,
	    .sbi_ctrl = control,
	    .sbi_read = receive,
	    .sbi_write = transmit,
	    .sbi_close = finish};
	ber_len_t most = MESSAGE_MAX;
	Sockbuf *socket = NULL;

	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &socket) != LDAP_OPT_SUCCESS ||
	    ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &most) != 1)
		return -1;
	return ber_sockbuf_add_io(socket, &io, LBER_SBIOD_LEVEL_PROVIDER, st);
}
