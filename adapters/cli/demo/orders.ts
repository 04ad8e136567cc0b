/** The shop's books. */
export interface Order { item: string; amount: number; status: string }

export const ORDERS: Readonly<Record<string, Order>> = {
  1001: { item: 'a blue teapot', amount: 49.9, status: 'left the warehouse on Monday and should arrive tomorrow' },
  1002: { item: 'two linen shirts', amount: 86, status: 'was delivered on Friday and signed for' },
};
