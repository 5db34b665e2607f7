/* Durability switched off: nothing is synced, and all is said to be. For controls, which must show losses. */
int fsync(int descriptor) { (void)descriptor; return 0; }
int fdatasync(int descriptor) { (void)descriptor; return 0; }
int msync(void *address, unsigned long length, int flags) { (void)address; (void)length; (void)flags; return 0; }
