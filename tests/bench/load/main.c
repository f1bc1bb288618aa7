/*
 * The bench's load generator. It reads its orders from stdin, one a line, and answers on stdout:
 *
 *   limit SECONDS        after which everything is given up
 *   listen IP PORT       where data centres are reached
 *   relay IP PORT        where clients connect
 *   header BYTES         a data centre drops so many at first
 *   process PID          a process of the relay, whose processor time is measured
 *   unit HEX             what is sent in bulk, over and over; zeros without it
 *   echo                 data centres send back what comes
 *   client STEP STEP …   one connection, and how it begins: "HEX" sends bytes, "=N" awaits N TLS records,
 *                        "+N" awaits N bytes
 *   open COUNT           opens so many more of the clients, and does their beginnings        -> "open"
 *   look                 fails when one that does nothing has been closed                    -> "open"
 *   bulk up|down LENGTH WARM     opens all; on each, so many bytes, after so many to warm up -> "done …"
 *   trips COUNT WARM     opens all; so many round trips in all                               -> "done …"
 *   short PARALLEL WARM_MS MS    opens and closes one after the other, so long               -> "done …"
 *   flood SECONDS        data centres send until nothing is taken for so long                -> "done …"
 *
 *   done SECONDS AMOUNT RELAY_CPU_SECONDS OWN_CPU_SECONDS
 *
 * When something breaks it says "failed: WHY" and ends with exit code 1.
 */
#include "load.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct sockaddr_in address_of(const char *text) {
    char ip[64];
    int port;
    struct sockaddr_in address = { .sin_family = AF_INET };
    if (sscanf(text, "%63s %d", ip, &port) != 2 || inet_pton(AF_INET, ip, &address.sin_addr) != 1)
        fail("no address: %s", text);
    address.sin_port = htons(port);
    return address;
}

static void add_client(const char *steps) {
    if (client_count == MAX_CLIENTS) fail("more than %d clients", MAX_CLIENTS);
    beginnings[client_count++] = strdup(steps);
}

static void obey(char *order) {
    char *rest = order + strcspn(order, " ");
    if (*rest != 0) *rest++ = 0;
    char *numbers = rest;
    long first = strtol(numbers, &numbers, 10), second = strtol(numbers, &numbers, 10), third = strtol(numbers, NULL, 10);
    if (!strcmp(order, "limit")) give_up_after(first);
    else if (!strcmp(order, "listen")) listen_address = address_of(rest);
    else if (!strcmp(order, "relay")) relay_address = address_of(rest);
    else if (!strcmp(order, "header")) header_length = first;
    else if (!strcmp(order, "process")) measure_process(first);
    else if (!strcmp(order, "unit")) make_source(rest);
    else if (!strcmp(order, "echo")) centre_work = echo;
    else if (!strcmp(order, "client")) add_client(rest);
    else if (!strcmp(order, "open")) {
        open_clients(first, 128);
        printf("open\n");
    } else if (!strcmp(order, "look")) {
        turn(0);
        printf("open\n");
    } else if (!strcmp(order, "bulk")) {
        int down = !strncmp(rest, "down ", 5);
        rest += strcspn(rest, " ");
        bulk(down, strtol(rest, &rest, 10), strtol(rest, NULL, 10));
    } else if (!strcmp(order, "trips")) round_trips(first, second);
    else if (!strcmp(order, "short")) short_connections(first, second, third);
    else if (!strcmp(order, "flood")) flood(first);
    else fail("an order that is not known: %s", order);
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    make_poller();
    setlinebuf(stdout);
    char *line = NULL;
    size_t size = 0;
    for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
        line[strcspn(line, "\n")] = 0;
        obey(line);
    }
    return 0;
}
