import { defineConfig } from 'prisma/config';

// The CLI only generates the client; migrations run in process (prisma/migrate.ts), so no URL stands here.
export default defineConfig({ schema: 'prisma/schema.prisma' });
