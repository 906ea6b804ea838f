/* The commands of authserverctl, and how they end. */
#ifndef AUTHSERVERCTL_COMMAND_H
#define AUTHSERVERCTL_COMMAND_H

#include <argp.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/flags.h"

/* Each parses its own flags, argv[0] being its name, and returns an exit status of
 * sysexits(3) after one line on stderr for what went wrong. */
int command_check(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_rotate(int argc, char **argv);
int command_prune(int argc, char **argv);
int command_jwks(int argc, char **argv);
int command_mint(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_decode(int argc, char **argv);
int command_revoke(int argc, char **argv);
int command_groups(int argc, char **argv);

/* Prints "authserverctl: TEXT" on stderr. */
void command_complain(const struct error *e);

/* The same, and the exit status: that of *e, or 64 for what was malformed. */
int command_fail(const struct error *e);

/* The child for argp whose flags are --config, --private-key, --set and, with issuer, --issuer;
 * its input is a struct flags. It is in *f. */
const struct argp_child *command_flags(struct flags_few *f, bool issuer);

/* What stands above them in --help. */
#define COMMAND_FLAGS_HEADER "The configuration, by flags of the service:"

#endif
