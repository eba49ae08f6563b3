import { Providers } from "./providers.js";

export const metadata = { title: "Everfresh with Next.js" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
