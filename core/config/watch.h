/* The files that a configuration is made of, and whether they have changed. */
#ifndef CONFIG_WATCH_H
#define CONFIG_WATCH_H

#include <stdint.h>

#include "config/flags.h"

/*
 * Numbers that are others when a file has changed, by what stat(2) says of it; no file is
 * read. Symbolic links are followed, so that the swap of a Kubernetes volume's "..data" is
 * seen.
 */

/* Of the configuration file. */
uint64_t watch_configuration(const struct flags *flags);

/* Of the files that a configuration names: policy, attributes, passphrase, keys, and what the
 * sources of groups read. */
uint64_t watch_named(const struct config *c);

#endif
