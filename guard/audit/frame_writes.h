/*
 * frame_writes - variables of running functions are not set from outside
 *
 * From Python 3.13 on `frame.f_locals` is no copy: what is assigned there is a variable of the function. Many ways lead to
 * a frame (inspect.getcoroutinelocals() is one), and a registered tool that waits has its rights when it goes on. So
 * variables of code that is not the user's are not set. Not for looking at them. Owns nothing; never undone.
 */
#pragma once

/* Once, when nobody is guarded yet or from the guard's own code. 0, or -1: exception set. */
int frame_writes_start(void);
