/** A goal in a chat: the agent says itself when it is reached, in words that nobody says by chance. */
import type { GoalCheck } from '../../../actors/thread/index.ts';
import { messageText } from '../wording.ts';

const WORD = 'GOAL REACHED';
/** Further runs at most: nobody may be watching. */
export const GOAL_RUNS = 10;

const BEGINNING = 'Work towards this goal until it is reached: ';

export const goalMessage = (text: string): string => `${BEGINNING}${text}\nWhen it is reached, end your answer with a line that says ${WORD}, and only then.`;

/** As the person put it; any other text stays as it is. */
export const goalText = (message: string): string => (message.startsWith(BEGINNING) ? message.split('\n')[0]!.slice(BEGINNING.length) : message);

export const isGoalReached: GoalCheck = ({ history }) => {
  const answer = history.findLast((item) => messageText(item) !== '');
  return answer !== undefined && new RegExp(`^\\W*${WORD}\\W*$`, 'm').test(messageText(answer));
};
