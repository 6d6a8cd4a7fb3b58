"""The thin Python face of the guard process. The guard itself is C (`safepyrun._guard`)."""
