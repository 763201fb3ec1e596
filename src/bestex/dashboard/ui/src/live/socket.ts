/** A WebSocket that comes back by itself and asks for what it missed. */

export type Link = "connecting" | "live" | "lost";

export interface Listener<Frame> {
  /** Address for the next attempt; called again after every loss, so that it can name where to go on. */
  address: () => string;
  frame: (frame: Frame) => void;
  link: (link: Link) => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

/** Opens the socket and keeps it open. The answer closes it for good. */
export function keepOpen<Frame>(listener: Listener<Frame>): () => void {
  let wait = FIRST_WAIT_MS;
  let closed = false;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const open = (): void => {
    socket = new WebSocket(listener.address());
    socket.onopen = () => {
      wait = FIRST_WAIT_MS;
      listener.link("live");
    };
    socket.onmessage = (event: MessageEvent<string>) => listener.frame(JSON.parse(event.data) as Frame);
    socket.onclose = () => {
      if (closed) return;
      listener.link("lost");
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
  };

  listener.link("connecting");
  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    socket?.close();
  };
}
