import { svelte } from "@sveltejs/vite-plugin-svelte";
import { devServer } from "everfresh/dev-server";
import { defineConfig } from "vite";

// While developing the token server has the page's own origin.
export default defineConfig({ plugins: [svelte(), devServer({ ttl: 20 })] });
