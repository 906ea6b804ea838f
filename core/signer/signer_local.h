/* The signer in this process: for CGI and the command line, one request a process. */
#ifndef SIGNER_SIGNER_LOCAL_H
#define SIGNER_SIGNER_LOCAL_H

#include "signer/signer.h"
#include "signer/signing.h"

struct signer_local {
	struct signer signer; /* first, so that the one leads to the other */
	const struct signing *signing;
};

/* signing must outlive it. */
void signer_local_init(struct signer_local *l, const struct signing *signing);

#endif
