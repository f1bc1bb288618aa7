/*
 * The load generator: clients on one side of a relay and data centres on the other, in one process and one thread.
 *
 * It must cost clearly less than the relay that it measures. So bytes are sent with sendfile from memory that the
 * kernel keeps, and received with MSG_TRUNC, which drops them without a copy. All cryptography (headers, hellos) is
 * done beforehand by the bench, which hands over finished bytes.
 *
 * Reads its orders from stdin, one a line, and answers on stdout:
 *
 *   listen IP PORT       where data centres are reached
 *   relay IP PORT        where clients connect
 *   skip BYTES           a data centre drops so many at first (the header)
 *   direction up|down    up: clients send; down: data centres send
 *   send BYTES           how much each sender sends
 *   expect BYTES         how much each receiver must get at least
 *   unit HEX             what is sent, over and over; zeros without it
 *   limit SECONDS        after which everything is given up
 *   client STEP STEP …   one connection, and how it begins: "HEX" sends bytes, "=N" awaits N TLS records
 *   prepare              connects, does all beginnings               -> "ready"
 *   go                   moves the bytes                             -> "done SECONDS BYTES CPU_SECONDS"
 *
 * When something breaks it says "failed: WHY" and ends with exit code 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 20000, TURN = 1 << 20, WAKE = 1 << 16, SOURCE_SIZE = 4 << 20 };

typedef struct {
    int fd, is_client;
    long skip;            /* data centre: bytes still to drop */
    char *steps;          /* client: what is left of its beginning */
    size_t step_sent;     /* bytes of the step that are sent */
    int records;          /* TLS records of the step that have come */
    unsigned char head[5];/* of the next one: its header, how much of it is here, and what is left of the body */
    int head_length, body_left;
    int begun;            /* its beginning is over */
    long moved;           /* bytes sent or received since "go" */
    int finished;
} Connection;

static Connection connections[MAX_CONNECTIONS * 2];
static char *beginnings[MAX_CONNECTIONS];
static int connection_count, client_count, begun_count, finished_count, receiver_count;
static int poller, listener = -1, source;
static long source_size, to_send, to_expect, to_skip;
static int down, running;
static struct sockaddr_in listen_address, relay_address;
static char scratch[TURN];

static void fail(const char *format, ...) {
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

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void watch(Connection *connection, int operation, unsigned events) {
    struct epoll_event event = { .events = events, .data.ptr = connection };
    if (epoll_ctl(poller, operation, connection->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

static Connection *add_connection(int fd, int is_client) {
    if (connection_count == MAX_CONNECTIONS * 2) fail("more than %d connections", MAX_CONNECTIONS);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection = &connections[connection_count++];
    *connection = (Connection){ .fd = fd, .is_client = is_client, .skip = is_client ? 0 : to_skip };
    return connection;
}

static void begin(Connection *connection) {
    connection->begun = 1;
    begun_count++;
}

static int hex_digit(char c) {
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Decodes hex up to a space or the end; the result is valid until the next call. */
static size_t from_hex(const char *hex, unsigned char **bytes) {
    static unsigned char *buffer;
    size_t length = strcspn(hex, " \n") / 2;
    buffer = realloc(buffer, length + 1);
    for (size_t i = 0; i < length; i++) buffer[i] = hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]);
    *bytes = buffer;
    return length;
}

static void next_step(Connection *connection) {
    connection->steps += strcspn(connection->steps, " ");
    connection->steps += strspn(connection->steps, " ");
    connection->step_sent = 0;
    connection->records = 0;
}

/* Reads TLS records, exactly; false: more must come first. */
static int read_records(Connection *connection) {
    int wanted = atoi(connection->steps + 1);
    while (connection->records < wanted) {
        int in_head = connection->head_length < 5;
        void *to = in_head ? (void *)(connection->head + connection->head_length) : scratch;
        long room = in_head ? 5 - connection->head_length : connection->body_left;
        long got = recv(connection->fd, to, room, 0);
        if (got < 0 && errno == EAGAIN) break;
        if (got <= 0) fail("the relay closed a client during its handshake");
        if (in_head) connection->head_length += got;
        if (in_head && connection->head_length == 5) connection->body_left = connection->head[3] << 8 | connection->head[4];
        if (!in_head) connection->body_left -= got;
        if (connection->head_length == 5 && connection->body_left == 0) {
            connection->records++;
            connection->head_length = 0;
        }
    }
    return connection->records == wanted;
}

static void go_on_beginning(Connection *connection) {
    while (*connection->steps != 0) {
        if (*connection->steps == '=') {
            if (!read_records(connection)) return watch(connection, EPOLL_CTL_MOD, EPOLLIN);
        } else {
            unsigned char *bytes;
            size_t length = from_hex(connection->steps, &bytes);
            long sent = send(connection->fd, bytes + connection->step_sent, length - connection->step_sent, MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN) fail("the relay refused a client's first bytes: %s", strerror(errno));
            if (sent > 0) connection->step_sent += sent;
            if (connection->step_sent < length) return watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
        }
        next_step(connection);
    }
    watch(connection, EPOLL_CTL_MOD, 0);
    begin(connection);
}

static void drop_header(Connection *connection) {
    while (connection->skip > 0) {
        long got = recv(connection->fd, scratch, connection->skip, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) fail("the relay closed a data centre's connection before the header");
        connection->skip -= got;
    }
    watch(connection, EPOLL_CTL_MOD, 0);
    begin(connection);
}

static void accept_all(void) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0 && errno == EAGAIN) return;
        if (fd < 0) fail("accept: %s", strerror(errno));
        Connection *connection = add_connection(fd, 0);
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
        if (to_skip == 0) drop_header(connection);
    }
}

static void finish(Connection *connection) {
    connection->finished = 1;
    finished_count++;
}

static void send_some(Connection *connection) {
    off_t offset = connection->moved % source_size;
    long left = to_send - connection->moved, length = source_size - offset;
    if (length > left) length = left;
    if (length > TURN) length = TURN;
    long sent = sendfile(connection->fd, source, &offset, length);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent <= 0) fail("a sender was cut off after %ld of %ld bytes: %s", connection->moved, to_send, strerror(errno));
    connection->moved += sent;
    if (connection->moved == to_send) watch(connection, EPOLL_CTL_MOD, 0);
}

/* A receiver wakes when much has come, or all that is left; else a relay that writes little pieces costs us more. */
static void wake_at(Connection *connection) {
    long left = to_expect - connection->moved;
    int lowest = left > WAKE ? WAKE : left > 0 ? left : 1;
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVLOWAT, &lowest, sizeof lowest);
}

static void receive_some(Connection *connection) {
    long got = recv(connection->fd, scratch, TURN, MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("a receiver was cut off after %ld of %ld bytes", connection->moved, to_expect);
    connection->moved += got;
    if (to_expect - connection->moved < WAKE) wake_at(connection);
    if (connection->moved >= to_expect && !connection->finished) finish(connection);
}

static void turn(void) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        Connection *connection = events[i].data.ptr;
        if (connection == NULL) accept_all();
        else if (!running && (events[i].events & (EPOLLHUP | EPOLLERR)) && connection->begun)
            fail("the relay dropped a %s before the start", connection->is_client ? "client" : "data centre");
        else if (!running && !connection->begun)
            connection->is_client ? go_on_beginning(connection) : drop_header(connection);
        else if (running && connection->is_client == down) receive_some(connection);
        else if (running && connection->moved < to_send) send_some(connection);
        else if (events[i].events & (EPOLLHUP | EPOLLERR)) watch(connection, EPOLL_CTL_DEL, 0);
    }
}

static void listen_for_relay(void) {
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&listen_address, sizeof listen_address) < 0 || listen(listener, 4096) < 0)
        fail("cannot listen as a data centre: %s", strerror(errno));
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
}

static void make_source(const char *hex) {
    unsigned char *unit;
    size_t length = hex == NULL ? 0 : from_hex(hex, &unit);
    static unsigned char zeros[1 << 16];
    if (length == 0) {
        unit = zeros;
        length = sizeof zeros;
    }
    source = memfd_create("source", 0);
    source_size = 0;
    while (source_size < SOURCE_SIZE) {
        if (write(source, unit, length) != (ssize_t)length) fail("cannot make the source: %s", strerror(errno));
        source_size += length;
    }
}

static void prepare(void) {
    if (listener < 0) listen_for_relay();
    if (source == 0) make_source(NULL);
    for (int i = 0; i < client_count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0) fail("socket: %s", strerror(errno));
        if (connect(fd, (struct sockaddr *)&relay_address, sizeof relay_address) < 0)
            fail("cannot connect to the relay: %s", strerror(errno));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        Connection *connection = add_connection(fd, 1);
        connection->steps = beginnings[i];
        watch(connection, EPOLL_CTL_ADD, 0);
        go_on_beginning(connection);
    }
    while (begun_count < 2 * client_count) turn();
    printf("ready\n");
}

static void go(void) {
    running = 1;
    receiver_count = client_count;
    double started = now(), cpu = cpu_seconds();
    for (int i = 0; i < connection_count; i++) {
        Connection *connection = &connections[i];
        if (connection->is_client == down) wake_at(connection);
        watch(connection, EPOLL_CTL_MOD, connection->is_client == down ? EPOLLIN : EPOLLOUT);
    }
    while (finished_count < receiver_count) turn();
    double seconds = now() - started;
    printf("done %.6f %ld %.6f\n", seconds, to_expect * receiver_count, cpu_seconds() - cpu);
}

static struct sockaddr_in address_of(const char *text) {
    char ip[64];
    int port;
    struct sockaddr_in address = { .sin_family = AF_INET };
    if (sscanf(text, "%63s %d", ip, &port) != 2 || inet_pton(AF_INET, ip, &address.sin_addr) != 1)
        fail("no address: %s", text);
    address.sin_port = htons(port);
    return address;
}

static void obey(char *order) {
    char *rest = order + strcspn(order, " ");
    if (*rest != 0) *rest++ = 0;
    if (!strcmp(order, "listen")) listen_address = address_of(rest);
    else if (!strcmp(order, "relay")) relay_address = address_of(rest);
    else if (!strcmp(order, "skip")) to_skip = atol(rest);
    else if (!strcmp(order, "direction")) down = !strcmp(rest, "down");
    else if (!strcmp(order, "send")) to_send = atol(rest);
    else if (!strcmp(order, "expect")) to_expect = atol(rest);
    else if (!strcmp(order, "unit")) make_source(rest);
    else if (!strcmp(order, "limit")) alarm(atoi(rest));
    else if (!strcmp(order, "prepare")) prepare();
    else if (!strcmp(order, "go")) go();
    else if (!strcmp(order, "client")) {
        if (client_count == MAX_CONNECTIONS) fail("more than %d connections", MAX_CONNECTIONS);
        beginnings[client_count++] = strdup(rest);
    } else fail("an order that is not known: %s", order);
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGALRM, on_alarm);
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(0);
    setlinebuf(stdout);
    char *line = NULL;
    size_t size = 0;
    for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
        line[strcspn(line, "\n")] = 0;
        obey(line);
    }
    return 0;
}
