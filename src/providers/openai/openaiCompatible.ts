import type { LlmExecutor } from '../../contract/index.js';
import { SSE_MEDIA_TYPE, sseFraming } from '../../wire/sse.js';
import { rulesOf } from '../shared/continuationTable.js';
import { createProvider } from '../shared/createProvider.js';
import type { ProviderOptions } from '../shared/options.js';
import type { CompatiblePreset } from './chatPreset.js';
import { ChatDecoder } from './decodeChat.js';
import { canPrefill, encodeChat } from './encodeChat.js';
import { compatiblePresets, type CompatiblePresetName } from './presets.js';

/** Options of {@link openaiCompatible}. */
export interface CompatibleOptions extends ProviderOptions {
  /** Azure: the version of the API. Defaults to the preset's. */
  apiVersion?: string;
  /** Whether the model writes its reasoning between think tags at the beginning. Defaults to the preset's. */
  thinkTags?: boolean;
}

/**
 * Makes an executor for a vendor or server that speaks Chat Completions.
 *
 * Behaves as `openaiChat` does, with the vendor's differences in the preset: address, key header, names of members, how
 * reasoning comes and goes back, ids of calls, how a text that was cut off is continued.
 *
 * @example A vendor that is known by name
 * ```ts
 * import { openaiCompatible } from 'rx-llm/openai';
 *
 * declare const apiKey: string;
 * const groq = openaiCompatible('groq', { apiKey });
 * ```
 * @example A vendor of one's own
 * ```ts
 * import { openaiCompatible } from 'rx-llm/openai';
 *
 * const mine = openaiCompatible({ name: 'mine', baseUrl: 'https://llm.example.com/v1', streamOptions: false });
 * ```
 * @param preset - Name of a preset, or a {@link CompatiblePreset} of one's own.
 * @param options - See {@link CompatibleOptions}.
 * @throws TypeError when the preset is not known, or when neither it nor the options say where the API lives.
 */
export function openaiCompatible(
  preset: CompatiblePresetName | CompatiblePreset,
  options: CompatibleOptions = {},
): LlmExecutor {
  const vendor = presetOf(preset);
  const { baseUrl, apiVersion, thinkTags = vendor.thinkTags } = options;
  if (baseUrl === undefined && vendor.baseUrl === undefined) {
    throw new TypeError(`openaiCompatible: ${vendor.name} has no address of its own; give options.baseUrl`);
  }
  const family = vendor.continuation ?? vendor.name;
  const target = { preset: vendor, baseUrl, apiVersion };
  return createProvider(
    {
      name: vendor.name,
      provider: family,
      rules: rulesOf(family),
      encode: (request, continuation, apiKey) => encodeChat(request, continuation, apiKey, target),
      decoder: (request) => new ChatDecoder(request, { provider: vendor.name, thinkTags }),
      canPrefill,
      framing: sseFraming,
      accepts: SSE_MEDIA_TYPE,
    },
    options,
  );
}

function presetOf(preset: CompatiblePresetName | CompatiblePreset): CompatiblePreset {
  if (typeof preset !== 'string') return preset;
  const known: Readonly<Record<string, CompatiblePreset>> = compatiblePresets;
  const vendor = Object.hasOwn(known, preset) ? known[preset] : undefined;
  if (vendor) return vendor;
  throw new TypeError(
    `openaiCompatible: no preset is called ${JSON.stringify(preset)}; there are ${Object.keys(known).join(', ')}, or give an object`,
  );
}
