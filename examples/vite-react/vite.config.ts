import react from "@vitejs/plugin-react";
import { devServer } from "everfresh/dev-server";
import { defineConfig } from "vite";

// While developing the token server has the page's own origin.
export default defineConfig({ plugins: [react(), devServer({ ttl: 20 })] });
