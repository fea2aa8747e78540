/* What scripts/size.ts uses of size-limit: its own declarations take a plugin for a function, and its plugins have none. */

declare module 'size-limit' {
  export interface Check {
    name: string;
    /** Entry points to bundle, where nothing is imported by name. */
    files: string[];
    /** Names by the module that they are imported from, as in `{ one, two }`. */
    import?: Record<string, string> | undefined;
    gzip: true;
    ignore: string[];
    modifyEsbuildConfig: (config: object) => object;
    /** What esbuild says of the bundles; set by its plugin. */
    esbuildMetafile?: { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> };
    /** The bundles; set by the bundler's plugin. */
    bundles?: string[];
    /** Bytes; set by the plugin that measures. */
    size?: number;
  }
  export interface Plugin {
    name: string;
    [step: `step${number}`]: (config: object, check: Check) => Promise<void>;
  }
  export default function sizeLimit(plugins: Plugin[][], config: { checks: Check[] }): Promise<{ size?: number }[]>;
}

declare module '@size-limit/esbuild' {
  import type { Plugin } from 'size-limit';
  const plugins: Plugin[];
  export default plugins;
}
