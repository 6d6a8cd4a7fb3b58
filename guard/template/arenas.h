/*
 * arenas - where Python's small objects lie in a template: side by side
 *
 * Python maps a megabyte at a time, and libraries are mapped in between: such pieces are too small for huge_pages. So they
 * are cut from one range of addresses, which costs nothing until it is used. The guards go on with it.
 */
#pragma once

/* Before anything is imported. Where there is no such range, Python does as always. */
void arenas_gather(void);
