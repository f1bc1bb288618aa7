/*
 * Clients and data centres on either side of a relay, in one epoll loop. Bulk bytes are sent with sendfile from
 * memory and received without a copy, so that this program costs less than what it measures. All cryptography
 * (headers, hellos) is done beforehand by the bench, which hands over finished bytes.
 */
#ifndef LOAD_H
#define LOAD_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <netinet/in.h>
#include <stddef.h>
#include <sys/epoll.h>

enum { MAX_CLIENTS = 100000, SCRATCH = 1 << 20 };

typedef struct Connection Connection;
typedef void Handler(Connection *connection, unsigned events);

struct Connection {
    int fd, is_client;
    Handler *handler;      /* what is done about its events */
    unsigned events;       /* those that are asked for */
    int watched;
    long skip;             /* data centre: bytes of the header that are still to come */
    char *steps;           /* client: what is left of its beginning */
    long step_done;        /* bytes of the step that are sent or have come */
    int records;           /* TLS records of the step that have come */
    unsigned char head[5]; /* of the next one: its header, how much of it is here, and what is left of the body */
    int head_length, body_left;
    int begun;             /* its beginning is over */
    long moved;            /* bytes sent or received since "go" */
    int finished;
};

/* What all kinds of load share. */
extern Connection connections[2 * MAX_CLIENTS];
extern int connection_count;
extern char *beginnings[MAX_CLIENTS];
extern int client_count, opened_count, begun_clients, begun_centres;
extern char scratch[SCRATCH];

/* What a client or a data centre does once its beginning is over; parked unless set. */
extern Handler *client_work, *centre_work;

extern struct sockaddr_in listen_address, relay_address;
extern long header_length;

/* sockets.c */
void make_poller(void);
void watch(Connection *connection, unsigned events);
void unwatch(Connection *connection);
void shut(Connection *connection);
void turn(int milliseconds);
void listen_for_relay(void);
Connection *connect_to_relay(void);
Handler parked;

/* beginnings.c */
void open_client(void);
void open_clients(int count, int at_once);
Handler go_on_beginning, drop_header;
size_t from_hex(const char *hex, unsigned char **bytes);

/* meter.c */
void fail(const char *format, ...);
double now(void);
void give_up_after(int seconds);
void measure_process(int pid);
void meter_start(void);
void meter_stop(void);
void meter_print(long amount);

/* One file each. */
Handler echo;
extern int closed_centres;
void make_source(const char *hex);
void bulk(int down, long length, long warm);
void round_trips(long count, long warm);
void short_connections(int parallel, int warm_milliseconds, int milliseconds);
void flood(double quiet_seconds);

#endif
