import vue from "@vitejs/plugin-vue";
import { devServer } from "everfresh/dev-server";
import { defineConfig } from "vite";

// While developing the token server has the page's own origin.
export default defineConfig({ plugins: [vue(), devServer({ ttl: 20 })] });
