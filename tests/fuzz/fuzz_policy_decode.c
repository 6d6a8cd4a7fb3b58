/* A kernel process that sends anything as its policy: what is taken can be written and read again.
 */
#include "guard/policy/policy.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_policy struct policy *policy = NULL;
    cleanup_policy struct policy *again = NULL;
    struct buffer first = BUFFER_NONE;
    struct buffer second = BUFFER_NONE;

    if (policy_decode((struct bytes){data, size}, &policy) != 0)
        return 0;
    assert(!policy->sealed && policy_preset_name(policy->preset) != NULL);
    policy_encode(policy, &first);
    assert(policy_decode(buffer_bytes(&first), &again) == 0);
    policy_encode(again, &second);
    assert(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    buffer_finish(&first);
    buffer_finish(&second);
    return 0;
}
