/* What the runner wants of a C library newer than Debian 12's (glibc 2.38, GCC 13): the C23 forms of strtol and its
   kin, and the start of iostreams, which older headers do in every file that uses them. Preloaded. */
#include <stdlib.h>

long __isoc23_strtol(const char *text, char **end, int base) { return strtol(text, end, base); }
long long __isoc23_strtoll(const char *text, char **end, int base) { return strtoll(text, end, base); }
unsigned long __isoc23_strtoul(const char *text, char **end, int base) { return strtoul(text, end, base); }
unsigned long long __isoc23_strtoull(const char *text, char **end, int base) { return strtoull(text, end, base); }

extern void _ZNSt8ios_base4InitC1Ev(void *self);

void _ZSt21ios_base_library_initv(void) {
    static char streams[16];
    _ZNSt8ios_base4InitC1Ev(streams);
}
