/*
 * resources - limits that belong to the ring and not to the policy's [limits]
 *
 * No core file, which would hold the whole namespace; no message queues, no real-time priority, no
 * better nice value. For the whole process. The seccomp filter then keeps limits from being changed.
 */
#pragma once

void resources_limit(void);
