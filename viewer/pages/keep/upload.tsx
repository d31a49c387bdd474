import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { asAskError } from '../../link/ask.ts';
import type { AskError } from '../../link/ask.ts';
import { invalidate } from '../../link/resource.ts';
import { bytesText } from '../../parts/amounts.ts';
import { ErrorNote } from '../../parts/states.tsx';
import { showToast } from '../../parts/toast.tsx';
import { inLanguage } from '../../texts/language.ts';
import { MOST_BYTES, faultOf } from './import-file.ts';
import type { FileFault } from './import-file.ts';
import { uploadTexts } from './upload-texts.ts';
import { upload } from './upload.ts';

function Fault({ fault }: { readonly fault: FileFault | AskError }): JSX.Element {
  const t = inLanguage(uploadTexts);
  if (typeof fault === 'string')
    return (
      <p class="note bad" role="alert">
        {fault === 'too_large' ? t.faults.too_large(bytesText(MOST_BYTES)) : t.faults[fault]}
      </p>
    );
  if (fault.code === 'CANCELLED') return <p role="status">{t.cancelled}</p>;
  if (fault.code !== 'INTERRUPTED') return <ErrorNote error={fault} />;
  return (
    <p class="note bad" role="alert">
      {t.interrupted}
    </p>
  );
}

/** Sends an export file of another instance, with its progress; the server then imports it as a job. */
export function Upload(): JSX.Element {
  const t = inLanguage(uploadTexts);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const [sent, setSent] = useState<number | null>(null);
  const [fault, setFault] = useState<FileFault | AskError | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = async (chosen: File): Promise<void> => {
    setFault(null);
    const found = await faultOf(chosen);
    if (found !== null) {
      setFault(found);
      return;
    }
    const abort = new AbortController();
    running.current = abort;
    setSent(0);
    try {
      await upload(chosen, setSent, abort.signal);
      showToast({ text: t.started });
      setFile(null);
      if (input.current !== null) input.current.value = '';
    } catch (error) {
      setFault(asAskError(error));
    } finally {
      // Also after a failed one: the server may have received the entire file.
      invalidate('/imports/files');
      running.current = null;
      setSent(null);
    }
  };
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== null && running.current === null) void start(file);
      }}
    >
      <div class="field">
        <label for={id}>{t.file}</label>
        <input
          ref={input}
          id={id}
          type="file"
          accept=".zst,application/zstd"
          required
          aria-describedby={`${id}-hint`}
          disabled={sent !== null}
          onChange={({ currentTarget }) => {
            setFile(currentTarget.files?.[0] ?? null);
            setFault(null);
          }}
        />
        <p id={`${id}-hint`} class="hint">
          {t.fileHint}
        </p>
      </div>
      {fault === null ? null : <Fault fault={fault} />}
      {sent === null || file === null ? (
        <button type="submit" disabled={sent !== null}>
          {t.import}
        </button>
      ) : (
        <>
          <progress aria-label={t.file} max={file.size} value={sent} />
          <p class="line" role="status">
            {sent >= file.size ? t.storing : t.sent(bytesText(sent), bytesText(file.size))}{' '}
            <button type="button" onClick={() => running.current?.abort()}>
              {t.cancel}
            </button>
          </p>
        </>
      )}
    </form>
  );
}
