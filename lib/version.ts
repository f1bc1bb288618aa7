/** What `mtray version` prints. */
export const VERSION = "0.1.0";

/**
 * The day this code was released, changed by hand with VERSION. A gateway without a battery-backed clock boots
 * years in the past; while its clock stands before this day it is plainly wrong, and no client's clock is judged by it.
 */
export const RELEASED = Date.UTC(2026, 10, 22);
