import { z } from 'zod';
import { line, text } from './text.ts';

/** Sign-in of the viewer, and what it shows before. */

/** A code works once, for two minutes. */
export const BROWSER_CODE_S = 120;

export const browserBody = z
  .strictObject({
    code: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, 'must be a code of recollect open')
      .optional()
      .describe('Of `POST /auth/browser/codes`; works once'),
    api_key: line(2_048).optional(),
    access_token: text(2_048).optional().describe('Of a log-in; its session becomes that of the browser'),
  })
  .describe('One of the three')
  .meta({ oneOf: [{ required: ['code'] }, { required: ['api_key'] }, { required: ['access_token'] }] });

export const browserAnswer = z
  .object({
    session_id: z.string().describe('In `GET /auth/sessions`'),
    expires_at: z.string().describe('End of the cookie; unused sessions end earlier'),
  })
  .meta({ id: 'BrowserSession' });

export const browserCode = z
  .object({
    code: z.string().describe('Shown once; the viewer takes it behind `#code=`'),
    expires_in: z.number().int().describe('Seconds'),
  })
  .meta({ id: 'BrowserCode' });

export const aboutSchema = z
  .object({
    instance_id: z.string().describe('Distinguishes instances; gives no access'),
    public_url: z.string().nullable(),
    tls: z.boolean().describe('The api itself serves HTTPS'),
    sign_in: z.object({
      password: z.boolean().describe('The server has log-ins by password'),
      passkeys: z.boolean(),
      providers: z.array(z.object({ name: z.string(), label: z.string() })).describe('Single sign-on'),
    }),
  })
  .meta({ id: 'About' });
