import { randomPassword, secret, z } from 'hostwright';
import { newKey } from './key.ts';

const seconds = z.number().int().min(1);

export const variables = z.object({
  slurm_munge_key: secret({ generate: async () => randomPassword(128) }).describe(
    'what the nodes know each other by',
  ),
  slurm_processors: z
    .number()
    .int()
    .min(1)
    .default(1)
    .describe('parts that this node runs at the same time, at most the number of its processors'),
  slurm_node_seconds: seconds.default(120).describe('silence after which a node counts as down'),
  slurm_requeue_seconds: seconds
    .default(120)
    .describe('wait before a requeued job begins again; by then the hosts must have let go of its first run'),
  slurm_hostwright: z.string().describe('the archive that pack.sh made'),
  slurm_project: z.string().describe('the folder of the project that the cluster provisions'),
  slurm_known_hosts: z.string().describe('a file with the keys of its hosts, and of the nodes'),
  slurm_login_key: secret().describe('the private key that logs in to its hosts'),
  slurm_identity: secret().optional().describe('the identity that decrypts its secrets'),
  slurm_transfer_key: secret({ generate: async () => newKey() }).describe(
    'the private key by which nodes send their results, in PEM',
  ),
  slurm_uid: z
    .number()
    .int()
    .default(2900)
    .describe('the number of the user hostwright, the same on all nodes'),
});

export type Variables = z.output<typeof variables>;
