/* create_, delete_ and list_subshell_request: JEP 91. On the control channel, so that no cell is in their way. */
#include "kernel/execution/subshells.h"
#include "kernel/requests/requests.h"

const struct request_type create_subshell_request = {
    .msg_type = "create_subshell_request",
    .reply_type = "create_subshell_reply",
    .channels = ON_CONTROL,
    .handle = subshells_create,
};

const struct request_type delete_subshell_request = {
    .msg_type = "delete_subshell_request",
    .reply_type = "delete_subshell_reply",
    .channels = ON_CONTROL,
    .handle = subshells_delete,
};

const struct request_type list_subshell_request = {
    .msg_type = "list_subshell_request",
    .reply_type = "list_subshell_reply",
    .channels = ON_CONTROL,
    .handle = subshells_list,
};
