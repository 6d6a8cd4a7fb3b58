/*
 * gateway_file - a connection without a connection file, for Jupyter's gateway_provisioners
 *
 * Their launchers get an address, a public key and an id on the command line, choose ports and keys
 * themselves and send them back. So this makes the struct connection_file that a file would have
 * given, and the sealed letter that tells the gateway what was chosen. Nothing is written to disk.
 * Source: gateway_provisioners, "Implementing a kernel launcher" and version 1 of its payload.
 */
#pragma once

#include "kernel/wire/connection_file.h"

#include "guard/link/buffer.h"

/* The arguments as the launcher wrote them; all borrowed. */
struct gateway_launch {
    const char *response_address; /* IP:PORT where the gateway waits */
    const char *public_key;       /* RSA, DER in base64 */
    const char *kernel_id;
    const char *port_range;           /* "40000..41000"; NULL or "0..0": any port */
    const char *transport_encryption; /* "auto", "required"; NULL, "", "disabled": none */
};

/*
 * gateway_file_make() - listen on all addresses, with a new key, and CurveZMQ keys where they are
 * wanted
 *
 * ret_error  on failure a new sentence that names the option; free()
 *
 * Returns 0 or 1.
 */
int gateway_file_make(const struct gateway_launch *launch, struct connection_file *ret_file,
                      char **ret_error);

/*
 * gateway_letter() - what the gateway has to know, readable by the holder of the private key only
 *
 * signal_port  where signals may be asked for
 *
 * Returns 0, or 1 when the public key is none.
 */
int gateway_letter(const struct connection_file *file, int signal_port, struct buffer *letter);
