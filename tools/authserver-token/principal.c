/* Whose ticket it is: the answer of the library that libcurl asks, too. */
#include <gssapi/gssapi.h>

#include "tools/authserver-token/credentials.h"

int
principal_append(struct buffer *to, struct error *e)
{
	gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
	gss_name_t name = GSS_C_NO_NAME;
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	int rc = -1;

	/* The credential is found when its name is asked for. */
	if (GSS_ERROR(gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
		GSS_C_NO_OID_SET, GSS_C_INITIATE, &credential, NULL, NULL)) ||
	    GSS_ERROR(gss_inquire_cred(&minor, credential, &name, NULL, NULL, NULL)) ||
	    GSS_ERROR(gss_display_name(&minor, name, &text, NULL)))
		error_set(e, ERROR_NO_PERMISSION,
		    "there is no Kerberos ticket that is valid: run kinit");
	else if (buffer_append(to, text.value, text.length) == -1)
		error_set(e, ERROR_UNAVAILABLE, "the principal's name is too long");
	else
		rc = 0;
	(void)gss_release_buffer(&minor, &text);
	(void)gss_release_name(&minor, &name);
	(void)gss_release_cred(&minor, &credential);
	return rc;
}
