// Edge servers that only render: sessions stay `unknown` and nothing is loaded.

export * from "../index.ts";
