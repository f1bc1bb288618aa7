/* Connections that come and go. */
#include "load.h"

static int finished_clients;

static void hang_up(Connection *connection, unsigned events) {
    (void)events;
    shut(connection);
    finished_clients++;
}

static void come_and_go_until(double end, int parallel) {
    while (now() < end) {
        while (opened_count - finished_clients < parallel) open_client();
        turn(10);
    }
}

/*
 * Every client connects, begins (which takes its header, 64 bytes and the 64 of the answer) and closes; the next one
 * takes its place. A data centre closes when the relay has, and then the connection is over and counts. A relay that
 * puts things away later (v2ray: a second) has some of that work before it at any time, so what counts is what is over
 * between two moments well after the beginning, and nothing of it is left unpaid.
 *
 * The relay closes its side towards the data centre first, as in life, so the port there is kept for a while; the
 * bench's network lets it be taken again after a second.
 */
void short_connections(int parallel, int warm_milliseconds, int milliseconds) {
    client_work = hang_up;
    centre_work = echo;
    listen_for_relay();
    double start = now() + warm_milliseconds / 1e3;
    come_and_go_until(start, parallel);
    int finished = finished_clients, over = closed_centres;
    meter_start();
    come_and_go_until(start + milliseconds / 1e3, parallel);
    meter_stop();
    finished = finished_clients - finished;
    over = closed_centres - over;
    if (over < finished / 2)
        fail("the relay keeps the connections of clients that are gone: %d went, %d were closed", finished, over);
    meter_print(over);
}
