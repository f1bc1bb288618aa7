/* A data centre that sends back what comes, and round trips to it. */
#include "load.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { PING = 64 };

int closed_centres;

static long trips, trips_wanted;

void echo(Connection *connection, unsigned events) {
    if (events == 0) watch(connection, EPOLLIN);
    for (;;) {
        long got = recv(connection->fd, scratch, SCRATCH, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            shut(connection);
            closed_centres++;
            return;
        }
        if (send(connection->fd, scratch, got, MSG_NOSIGNAL) != got) fail("a data centre could not send its answer");
        if (got < SCRATCH) return;
    }
}

static void ping(Connection *connection) {
    static const char bytes[PING];
    connection->moved = 0;
    if (send(connection->fd, bytes, PING, MSG_NOSIGNAL) != PING) fail("a client could not send its %d bytes", PING);
}

static void on_answer(Connection *connection, unsigned events) {
    if (events == 0) return watch(connection, EPOLLIN);
    long got = recv(connection->fd, scratch, SCRATCH, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("the relay closed a client after %ld round trips", trips);
    connection->moved += got;
    if (connection->moved < PING) return;
    if (++trips < trips_wanted) ping(connection);
}

static void trip_until(long count) {
    trips_wanted = count;
    while (trips < count) turn(-1);
}

/* All clients at once, each sending again when its answer is there. */
void round_trips(long count, long warm) {
    client_work = on_answer;
    centre_work = echo;
    open_clients(client_count, 128);
    trips = 0;
    trips_wanted = warm + count;
    for (int i = 0; i < connection_count; i++)
        if (connections[i].is_client) ping(&connections[i]);
    while (trips < warm) turn(-1);
    meter_start();
    long before = trips;
    trip_until(warm + count);
    meter_stop();
    meter_print(trips - before);
}
