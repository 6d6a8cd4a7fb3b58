#include "guard/link/seals.h"

#include "guard/link/cleanup.h"

#include <sys/socket.h>

struct seals {
    int seccomp;
    int filters;
    int no_new_privileges;
};

static bool read_seals(const char *pid, struct seals *ret_seals)
{
    char path[64];
    char line[256];
    cleanup_file FILE *file = NULL;

    *ret_seals = (struct seals){-1, -1, -1};
    snprintf(path, sizeof(path), "/proc/%s/status", pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        sscanf(line, "Seccomp: %d", &ret_seals->seccomp);
        sscanf(line, "Seccomp_filters: %d", &ret_seals->filters);
        sscanf(line, "NoNewPrivs: %d", &ret_seals->no_new_privileges);
    }
    return ret_seals->seccomp >= 0;
}

static bool are_ours(pid_t pid)
{
    struct seals its;
    struct seals ours;
    char text[16];

    snprintf(text, sizeof(text), "%d", (int)pid);
    return read_seals(text, &its) && read_seals("self", &ours) && its.seccomp == ours.seccomp &&
           its.filters == ours.filters && its.no_new_privileges == ours.no_new_privileges;
}

bool seals_peer_is_ours(int connection)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == geteuid() && are_ours(peer.pid);
}
