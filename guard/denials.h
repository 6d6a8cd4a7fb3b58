/*
 * denials - refusals on their way to the kernel process's log
 *
 * Every one is told, also those that a library swallows. Needs no Python: it is called from the
 * hook.
 */
#pragma once

/* From now on each refusal is a DENIAL frame of the cell that caused it. After READY. */
void denials_start(void);
