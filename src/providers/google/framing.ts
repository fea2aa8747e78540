import type { Framer, Framing } from '../../wire/Decoder.js';
import { jsonArrayFraming } from '../../wire/jsonArray.js';
import { sseFraming } from '../../wire/sse.js';

/** Media types of both forms of `streamGenerateContent`. */
export const GENERATE_CONTENT_MEDIA_TYPE = /text\/event-stream|text\/plain|octet-stream|json/i;

/**
 * Cuts the bytes of `streamGenerateContent` into the JSON texts of its chunks. Which of the two forms a body has, server-sent
 * events (`alt=sse`) or one JSON array, is told by its first character: gateways do not always heed `alt`, and Google answers
 * some errors with a JSON body of its own.
 */
export const generateContentFraming: Framing<string> = (onFrame, maxLength) => {
  let framer: Framer | undefined;
  return {
    push: (bytes) => {
      if (framer === undefined) {
        const first = bytes.find(isInk);
        // White space and byte order marks that come before mean nothing in either form.
        if (first === undefined) return;
        const json = first === 0x5b || first === 0x7b;
        framer = json ? jsonArrayFraming(onFrame, maxLength) : sseFraming((frame) => onFrame(frame.data), maxLength);
      }
      framer.push(bytes);
    },
    end: () => framer?.end(),
  };
};

function isInk(byte: number): boolean {
  return byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf;
}
