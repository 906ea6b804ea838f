/* nginx's configuration, made from tools/authserver/nginx.conf.in. */
#ifndef AUTHSERVER_NGINX_CONF_H
#define AUTHSERVER_NGINX_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/authserver/rundir.h"

/*
 * Writes RUNDIR_CONFIG. What stands in it is a number, the run directory's plain path
 * and account names, so that nothing a user chose can change what it means.
 */
int nginx_conf_write(const struct rundir *r, const struct account *workers, uint16_t port,
    bool with_users, struct error *e);

#endif
