/**
 * Sends a reset. Deno's own `close` first shuts the connection down in good order, so a peer would take an aborted
 * transfer for a complete one. Linux resets a TCP connection that is connected to the address family AF_UNSPEC,
 * and does so before anything else is said.
 */

const AF_INET = 2;
const AF_INET6 = 10;
/** sizeof(struct sockaddr_in6) with room to spare. */
const ADDRESS_SIZE = 32;
/** Descriptors are small numbers; a gap this long ends the search. */
const LONGEST_GAP = 4096;

type Libc = ReturnType<typeof open>;

function open() {
  return Deno.dlopen("libc.so.6", {
    connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  }).symbols;
}

let libc: Libc | null | undefined;

/** Whether an abort reaches the peer as a reset; without FFI it is an ordinary end. */
export function canAbort(): boolean {
  if (libc === undefined) {
    try {
      libc = open();
    } catch {
      libc = null;
    }
  }
  return libc !== null;
}

/** Resets a connection; it still has to be closed. Does nothing where the system offers no way. */
export function abortConnection(conn: Deno.TcpConn): void {
  if (!canAbort() || !libc) return;
  const fd = descriptorOf(conn, libc);
  if (fd !== null) libc.connect(fd, new Uint8Array(16), 16);
}

/** The descriptor of a connection, or null where the system offers no way to it. */
export function descriptorOfConnection(conn: Deno.TcpConn): number | null {
  return canAbort() && libc ? descriptorOf(conn, libc) : null;
}

/**
 * The descriptor behind a connection, known by its two ends: Deno tells it for accepted connections only, and under
 * an internal name. The two addresses are one connection's alone as long as it is open.
 */
function descriptorOf(conn: Deno.TcpConn, libc: Libc): number | null {
  let local: Deno.NetAddr, remote: Deno.NetAddr;
  try {
    local = conn.localAddr as Deno.NetAddr;
    remote = conn.remoteAddr as Deno.NetAddr;
  } catch {
    return null;
  }
  const address = new Uint8Array(ADDRESS_SIZE);
  const length = new Uint32Array(1);
  const size = new Uint8Array(length.buffer);
  for (let fd = 3, gap = 0; gap < LONGEST_GAP; fd++) {
    length[0] = ADDRESS_SIZE;
    if (libc.getsockname(fd, address, size) !== 0) {
      gap++;
      continue;
    }
    gap = 0;
    if (!isEndpoint(address, local)) continue;
    length[0] = ADDRESS_SIZE;
    if (libc.getpeername(fd, address, size) === 0 && isEndpoint(address, remote)) return fd;
  }
  return null;
}

function isEndpoint(address: Uint8Array, end: Deno.NetAddr): boolean {
  const family = address[0] | address[1] << 8;
  if (family !== AF_INET && family !== AF_INET6) return false;
  if ((address[2] << 8 | address[3]) !== end.port) return false;
  return textOf(family, address) === plain(end.hostname);
}

function textOf(family: number, address: Uint8Array): string {
  if (family === AF_INET) return address.subarray(4, 8).join(".");
  const ip = address.subarray(8, 24);
  const mapped = ip.subarray(0, 10).every((byte) => byte === 0) && ip[10] === 255 && ip[11] === 255;
  if (mapped) return ip.subarray(12).join(".");
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((ip[i] << 8 | ip[i + 1]).toString(16));
  return plain(`[${groups.join(":")}]`);
}

/** One spelling per address: IPv6 as a URL would write it, an IPv4 address inside IPv6 as IPv4. */
function plain(host: string): string {
  const bare = host.replace(/^\[|\]$/g, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  if (mapped) return mapped[1];
  return bare.includes(":") ? new URL(`http://[${bare.split("%")[0]}]/`).hostname : bare;
}
