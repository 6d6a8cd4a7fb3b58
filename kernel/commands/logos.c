/*
 * .incbin instead of C arrays: nothing is generated, and both compilers hand it to the assembler.
 * LOGO_FOLDER comes from CMake, which also knows that this file depends on the pictures.
 */
#include "kernel/commands/logos.h"

#define EMBED(symbol, file)                                                                        \
    extern const unsigned char symbol##_start[], symbol##_end[];                                   \
    __asm__(".pushsection .rodata\n" #symbol "_start:\n.incbin \"" LOGO_FOLDER "/" file            \
            "\"\n" #symbol "_end:\n.byte 0\n.popsection\n")

EMBED(logo_svg, "logo-svg.svg");
EMBED(logo_32, "logo-32x32.png");
EMBED(logo_64, "logo-64x64.png");

const struct logo logos[LOGO_COUNT] = {
    {"logo-svg.svg", logo_svg_start, logo_svg_end},
    {"logo-32x32.png", logo_32_start, logo_32_end},
    {"logo-64x64.png", logo_64_start, logo_64_end},
};
