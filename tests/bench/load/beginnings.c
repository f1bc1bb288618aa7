/* How connections begin: a client takes its steps, and a data centre drops the header. */
#include "load.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

char *beginnings[MAX_CLIENTS];
int client_count, opened_count, begun_clients, begun_centres;

/* Its work is told of a beginning with no events. */
static void begin(Connection *connection) {
    connection->begun = 1;
    if (connection->is_client) begun_clients++;
    else begun_centres++;
    connection->handler = connection->is_client ? client_work : centre_work;
    connection->handler(connection, 0);
}

static int hex_digit(char c) {
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Decodes hex up to a space or the end; the result is valid until the next call. */
size_t from_hex(const char *hex, unsigned char **bytes) {
    static unsigned char *buffer;
    size_t length = strcspn(hex, " \n") / 2;
    buffer = realloc(buffer, length + 1);
    for (size_t i = 0; i < length; i++) buffer[i] = hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]);
    *bytes = buffer;
    return length;
}

/* Sends the step's bytes. Returns the events that must be awaited, 0 when all are sent. */
static unsigned send_step(Connection *connection) {
    unsigned char *bytes;
    long length = from_hex(connection->steps, &bytes);
    long sent = send(connection->fd, bytes + connection->step_done, length - connection->step_done, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail("the relay refused a client's first bytes: %s", strerror(errno));
    if (sent > 0) connection->step_done += sent;
    return connection->step_done < length ? EPOLLOUT : 0;
}

static long receive(Connection *connection, void *to, long room) {
    long got = recv(connection->fd, to, room, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) fail("the relay closed a client during its handshake");
    return got;
}

/* Reads TLS records, exactly. */
static unsigned read_records(Connection *connection, int wanted) {
    while (connection->records < wanted) {
        int in_head = connection->head_length < 5;
        void *to = in_head ? (void *)(connection->head + connection->head_length) : scratch;
        long got = receive(connection, to, in_head ? 5 - connection->head_length : connection->body_left);
        if (got == 0) return EPOLLIN;
        if (in_head) connection->head_length += got;
        if (in_head && connection->head_length == 5) connection->body_left = connection->head[3] << 8 | connection->head[4];
        if (!in_head) connection->body_left -= got;
        if (connection->head_length == 5 && connection->body_left == 0) {
            connection->records++;
            connection->head_length = 0;
        }
    }
    return 0;
}

static unsigned read_bytes(Connection *connection, long wanted) {
    while (connection->step_done < wanted) {
        long got = receive(connection, scratch, wanted - connection->step_done);
        if (got == 0) return EPOLLIN;
        connection->step_done += got;
    }
    return 0;
}

void go_on_beginning(Connection *connection, unsigned events) {
    (void)events;
    while (*connection->steps != 0) {
        char kind = *connection->steps;
        unsigned awaited = kind == '=' ? read_records(connection, atoi(connection->steps + 1))
            : kind == '+'              ? read_bytes(connection, atol(connection->steps + 1))
                                       : send_step(connection);
        if (awaited != 0) return watch(connection, awaited);
        connection->steps += strcspn(connection->steps, " ");
        connection->steps += strspn(connection->steps, " ");
        connection->step_done = 0;
        connection->records = 0;
    }
    begin(connection);
}

void drop_header(Connection *connection, unsigned events) {
    (void)events;
    while (connection->skip > 0) {
        long got = recv(connection->fd, scratch, connection->skip, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) fail("the relay closed a data centre's connection before the header");
        connection->skip -= got;
    }
    begin(connection);
}

/* The next of the clients that were announced. */
void open_client(void) {
    if (opened_count == client_count) fail("there are only %d clients", client_count);
    Connection *connection = connect_to_relay();
    connection->steps = beginnings[opened_count++];
    go_on_beginning(connection, 0);
}

/* Opens so many more, of which so many at most are in their beginnings at a time, and waits until all have begun. */
void open_clients(int count, int at_once) {
    listen_for_relay();
    int goal = opened_count + count;
    while (begun_clients < goal || begun_centres < goal) {
        int begun = begun_clients < begun_centres ? begun_clients : begun_centres;
        while (opened_count < goal && opened_count - begun < at_once) open_client();
        turn(-1);
    }
}
