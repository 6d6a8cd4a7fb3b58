#include "kernel/mcp/protocol.h"

#include "kernel/mcp/tools.h"

#include <stdbool.h>
#include <string.h>

#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_SERVER "io.modelcontextprotocol/serverInfo"

/* Revisions that begin with a handshake, the newest last; and the one that does without. */
static const char *const handshake_versions[] = {"2024-11-05", "2025-03-26", "2025-06-18",
                                                 "2025-11-25"};
enum { HANDSHAKE_COUNT = sizeof(handshake_versions) / sizeof(handshake_versions[0]) };
static const char modern_version[] = "2026-07-28";

/* The list never changes while we run. */
#define CACHING "ttlMs", 3600000, "cacheScope", "public"

static bool has_handshake(const char *version)
{
    for (int i = 0; i < HANDSHAKE_COUNT; i++)
        if (strcmp(handshake_versions[i], version) == 0)
            return true;
    return false;
}

static json_t *supported_versions(void)
{
    json_t *list = json_array();

    for (int i = 0; i < HANDSHAKE_COUNT; i++)
        json_array_append_new(list, json_string(handshake_versions[i]));
    json_array_append_new(list, json_string(modern_version));
    return list;
}

static json_t *server_info(void)
{
    return json_pack("{ss ss ss}", "name", "safepyrun", "title", "Guarded Python", "version",
                     SAFEPYRUN_VERSION);
}

json_t *protocol_initialize(const json_t *params)
{
    const char *asked = json_string_value(json_object_get(params, "protocolVersion"));
    const char *version = handshake_versions[HANDSHAKE_COUNT - 1];

    if (asked != NULL && has_handshake(asked))
        version = asked;
    return json_pack("{ss s{s{}} so ss}", "protocolVersion", version, "capabilities", "tools",
                     "serverInfo", server_info(), "instructions", tools_instructions);
}

json_t *protocol_discover(void)
{
    return json_pack("{so s{s{}} ss si ss}", "supportedVersions", supported_versions(),
                     "capabilities", "tools", "instructions", tools_instructions, CACHING);
}

json_t *protocol_list_tools(void)
{
    return json_pack("{so si ss}", "tools", tools_describe(), CACHING);
}

const char *protocol_unknown_version(const json_t *params)
{
    const char *version =
        json_string_value(json_object_get(json_object_get(params, "_meta"), META_VERSION));
    bool is_known =
        version == NULL || has_handshake(version) || strcmp(version, modern_version) == 0;

    return is_known ? NULL : version;
}

json_t *protocol_version_problem(const char *requested)
{
    return json_pack("{ss so}", "requested", requested, "supported", supported_versions());
}

json_t *protocol_sign(json_t *result)
{
    json_object_set_new(result, "resultType", json_string("complete"));
    json_object_set_new(result, "_meta", json_pack("{so}", META_SERVER, server_info()));
    return result;
}
