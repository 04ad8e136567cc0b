/** A goal in a chat: the agent says itself when it is reached, in words that nobody says by chance. */
import type { GoalCheck } from '../../../actors/thread/index.ts';
import { messageText } from '../wording.ts';

const WORD = 'GOAL REACHED';
/** Further runs at most: nobody may be watching. */
export const GOAL_RUNS = 10;

export const goalMessage = (text: string): string => `Work towards this goal until it is reached: ${text}\nWhen it is reached, end your answer with a line that says ${WORD}, and only then.`;

/** The goal as the person put it. */
export const goalText = (message: string): string => message.split('\n')[0]!.replace('Work towards this goal until it is reached: ', '');

export const isGoalReached: GoalCheck = ({ history }) => {
  const answer = history.findLast((item) => messageText(item) !== '');
  return answer !== undefined && new RegExp(`^\\W*${WORD}\\W*$`, 'm').test(messageText(answer));
};
