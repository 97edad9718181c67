export { didYouMean, nearest } from './suggestion.ts';
