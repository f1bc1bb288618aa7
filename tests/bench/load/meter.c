/* Time, and the processor time of the relay and of this program between two moments. */
#include "load.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PROCESSES = 64 };

/* The clocks count nanoseconds, with the threads that have ended; /proc/PID/stat counts hundredths of a second. */
static clockid_t clocks[MAX_PROCESSES];
static int clock_count;
static double started, relay_started, own_started;
static double seconds, relay_seconds, own_seconds;

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("failed: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    _exit(1);
}

static void on_alarm(int signal) {
    (void)signal;
    static const char message[] = "failed: the time limit passed\n";
    if (write(1, message, sizeof message - 1) < 0) _exit(2);
    _exit(1);
}

void give_up_after(int limit) {
    signal(SIGALRM, on_alarm);
    alarm(limit);
}

static double read_clock(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) fail("the relay has ended");
    return time.tv_sec + time.tv_nsec / 1e9;
}

double now(void) {
    return read_clock(CLOCK_MONOTONIC);
}

static double relay_cpu(void) {
    double sum = 0;
    for (int i = 0; i < clock_count; i++) sum += read_clock(clocks[i]);
    return sum;
}

void measure_process(int pid) {
    if (clock_count == MAX_PROCESSES) fail("the relay has more than %d processes", MAX_PROCESSES);
    int error = clock_getcpuclockid(pid, &clocks[clock_count++]);
    if (error != 0) fail("cannot measure process %d: %s", pid, strerror(error));
}

void meter_start(void) {
    relay_started = relay_cpu();
    own_started = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    started = now();
    seconds = 0;
}

/* Stops the watch, the first time, and reads the processors, every time. */
void meter_stop(void) {
    if (seconds == 0) seconds = now() - started;
    relay_seconds = relay_cpu() - relay_started;
    own_seconds = read_clock(CLOCK_PROCESS_CPUTIME_ID) - own_started;
}

void meter_print(long amount) {
    printf("done %.6f %ld %.6f %.6f\n", seconds, amount, relay_seconds, own_seconds);
}
