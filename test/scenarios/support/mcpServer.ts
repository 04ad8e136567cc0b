/** An MCP server in this process: offers what it is told to, keeps what it is asked. */
import type { CallToolResultContent, MCPServer, MCPTool } from 'loopchart';

export interface FakeServer extends MCPServer {
  readonly called: { tool: string; args: Record<string, unknown> | null }[];
  readonly listed: number;
}

interface Offer {
  name?: string;
  tools: (string | MCPTool)[];
  onList?: () => void;
  /** What a call brings; by default its own name. */
  answer?: (tool: string, args: Record<string, unknown> | null) => CallToolResultContent | Promise<CallToolResultContent>;
  cacheToolsList?: boolean;
}

export function mcpServer({ name = 'files', tools, onList, answer, cacheToolsList = false }: Offer): FakeServer {
  const called: FakeServer['called'] = [];
  let listed = 0;
  return {
    name,
    cacheToolsList,
    called,
    get listed() {
      return listed;
    },
    connect: async () => undefined,
    close: async () => undefined,
    invalidateToolsCache: async () => undefined,
    listTools: async () => {
      listed += 1;
      onList?.();
      return tools.map((tool) => (typeof tool === 'string' ? toolNamed(tool) : tool));
    },
    callTool: async (tool, args) => {
      called.push({ tool, args });
      return answer ? answer(tool, args) : text(`${tool} is done`);
    },
  };
}

export const text = (words: string): CallToolResultContent => [{ type: 'text', text: words }];

function toolNamed(name: string): MCPTool {
  return {
    name,
    description: `Does ${name}.`,
    inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'], additionalProperties: false },
  };
}
