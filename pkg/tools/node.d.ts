// The little of Node.js that the development server needs. @types/node would put its globals everywhere.

declare module "node:http" {
  export interface IncomingMessage extends AsyncIterable<Uint8Array> {
    readonly method?: string;
    readonly url?: string;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly socket: { destroy(): void; readonly encrypted?: boolean };
  }
  export interface ServerResponse {
    writeHead(status: number, headers: Record<string, string | readonly string[]>): this;
    end(body?: string | Uint8Array): void;
  }
  export interface Server {
    listen(port: number, host: string, listening: () => void): void;
    on(event: "error", listener: (error: Error) => void): void;
    address(): { port: number };
    close(): void;
    closeAllConnections(): void;
  }
  export function createServer(
    listener: (request: IncomingMessage, response: ServerResponse) => void,
  ): Server;
}

declare module "node:crypto" {
  export interface KeyObject {
    export(options: { format: "jwk" }): Record<string, unknown>;
  }
  type Key = KeyObject | { key: KeyObject; dsaEncoding: "ieee-p1363" };
  export function generateKeyPairSync(
    type: "ec",
    options: { namedCurve: string },
  ): { publicKey: KeyObject; privateKey: KeyObject };
  export function createPrivateKey(key: { key: object; format: "jwk" }): KeyObject;
  export function createPublicKey(key: KeyObject): KeyObject;
  export function sign(algorithm: string, data: Uint8Array, key: Key): Uint8Array;
  export function verify(algorithm: string, data: Uint8Array, key: Key, signature: Uint8Array): boolean;
  export function randomBytes(size: number): Uint8Array & { toString(encoding: "base64url"): string };
}

declare module "node:fs" {
  export function readFileSync(path: URL): Uint8Array<ArrayBuffer>;
  export function readFileSync(path: string, encoding: "utf8"): string;
  export function writeFileSync(path: string, text: string, options: { mode: number }): void;
  export function mkdirSync(path: string, options: { recursive: true }): void;
  export function rmSync(path: string, options: { force: true }): void;
  export function readFileSync(path: string): Uint8Array<ArrayBuffer>;
  export function statSync(path: string): { isFile(): boolean };
  export function existsSync(path: string): boolean;
}

declare module "node:os" {
  export function tmpdir(): string;
}

declare module "node:path" {
  export function join(...parts: string[]): string;
  export function extname(path: string): string;
  export function dirname(path: string): string;
}

declare module "node:process" {
  const process: {
    readonly argv: string[];
    cwd(): string;
    exit(code: number): never;
  };
  export default process;
}

declare module "node:util" {
  export function parseArgs(config: object): {
    values: Record<string, string | boolean | string[] | undefined>;
  };
}
